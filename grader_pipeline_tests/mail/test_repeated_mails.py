"""A day is mailed once. Later mails say what changed since, and what can still change."""

import datetime as dt
import re
import signal
import subprocess
import sys

import dagster as dg
import psycopg
import pytest

from grader_pipeline.mail import run_mails
from grader_pipeline.statements import statement
from grader_pipeline_tests.mail.mail_days import outdate
from grader_pipeline_tests.mail.mail_runs import (
    CANCELLATION,
    CHANGED,
    COLLEAGUES,
    FAILURE,
    RECOVERED,
    SUCCESS,
    late_trouble,
    refresh_days,
    refreshed,
    trouble,
)

WAITS = "Показатели ещё могут измениться: не закончена обработка данных за "


def test_a_day_that_is_run_again_is_mailed_only_if_a_metric_changed(
    run, subjects, figures, text_of, html_of, outbox_rows
):
    figures("2023-05-31")
    run()
    assert subjects() == [SUCCESS]
    run()
    assert subjects() == []
    figures("2023-05-31", 58)
    run()
    assert subjects() == [CHANGED]
    expected = "Показатели за 31.05.2023 изменились\nnew_users: было 158, стало 58\n"
    assert expected in text_of("changed")
    assert re.search(r">158</td>\s*<td[^>]*>58</td>", html_of("changed"))
    (row,) = [row for row in outbox_rows() if row["kind"] == "changed"]
    assert row["report_date"] == dt.date(2023, 5, 31)
    run()
    assert subjects() == []
    figures("2023-05-31", None)
    run()
    assert subjects() == [CHANGED]
    assert "было 58, стало —" in text_of("changed")


def test_another_label_line_or_spelling_of_a_number_is_no_change(run, subjects, figures, postgres):
    for metric, value in {"a": "1", "b": "34.981", "c": "NaN", "d": None, "gone": "5"}.items():
        figures("2023-05-31", value, metric)
    run()
    assert subjects() == [SUCCESS]
    figures("2023-05-31", "1.00", "a", "Новое название")
    figures("2023-05-31", "34.979", "b")
    figures("2023-05-31", "7", "new")
    with postgres.transaction() as db:
        db.execute("DELETE FROM daily_metrics WHERE metric = 'gone'")
    run()
    assert subjects() == []


def test_another_text_is_a_change_and_the_first_one_after_an_earlier_release_is_none(
    run, subjects, figures, postgres, text_of
):
    def set_text(text: str | None) -> None:
        with postgres.transaction() as db:
            db.execute("UPDATE daily_metrics SET text = %s, unit = 'hour'", [text])

    figures("2023-05-31", "10", "busiest_hour")
    figures("2023-05-31", "3.17", "first_attempt_hour")
    run()
    assert subjects() == [SUCCESS]
    # This release has another name for one, and a text for the other.
    with postgres.transaction() as db:
        db.execute("UPDATE daily_metrics SET metric = 'first_attempt' WHERE value < 9")
    set_text("10:00–11:00")
    run()
    assert subjects() == []
    with postgres.transaction() as db:
        db.execute(statement("mail/remember_metrics"), {"days": ["2023-05-31"]})
    figures("2023-05-31", None, "busiest_hour")
    set_text("10:00–11:00, 14:00–15:00")
    run()
    assert subjects() == [CHANGED]
    assert "busiest_hour: было 10:00–11:00, стало 10:00–11:00, 14:00–15:00" in text_of("changed")


def test_another_reason_why_there_is_no_number_is_no_change(
    run, subjects, figures, postgres, text_of
):
    def missing(days: int) -> None:
        with postgres.transaction() as db:
            db.execute(
                "UPDATE daily_metrics SET value = NULL, text = %s, unit = 'count'"
                " WHERE metric = 'active_users_28'",
                [f"нет данных за {days} из 28 дней"],
            )

    figures("2023-05-31", None, "active_users_28")
    missing(21)
    run()
    assert subjects() == [SUCCESS]
    missing(14)
    run()
    assert subjects() == []
    with postgres.transaction() as db:
        db.execute("UPDATE daily_metrics SET value = 142, text = NULL")
    run()
    assert subjects() == [CHANGED]
    assert "active_users_28: было нет данных за 14 из 28 дней, стало 142" in text_of("changed")
    missing(1)
    run()
    assert subjects() == [CHANGED]


def test_a_run_that_refreshed_other_days_sends_one_mail_about_them_beside_its_own(
    run, subjects, figures, text_of, outbox_rows
):
    for day in ("29", "30", "31"):
        figures(f"2023-05-{day}")
    run("2023-05-30")
    run("2023-05-31")
    assert len(subjects()) == 2
    refreshed["2023-05-29"] = ["2023-05-30", "2023-05-31"]
    figures("2023-05-30", 58)
    figures("2023-05-31", 60)
    run("2023-05-29")
    changed = f"{COLLEAGUES}: Показатели изменились — отчёты за 30.05.2023–31.05.2023 (2 дня)"
    assert sorted(subjects()) == sorted([changed, SUCCESS.replace("31.05", "29.05")])
    text = text_of("changed")
    assert (
        "Какие показатели изменились\nср 31.05\nnew_users: было 158, стало 60\n"
        "вт 30.05\nnew_users: было 158, стало 58\n"
    ) in text
    assert [row["report_date"] for row in outbox_rows() if row["kind"] == "changed"] == [None]
    run("2023-05-30")
    run("2023-05-31")
    assert subjects() == []


def test_a_run_of_no_day_that_refreshed_many_lists_the_newest_seven(
    run, subjects, figures, text_of
):
    refreshed[""] = [f"2023-05-{day}" for day in range(10, 22)]
    for day in refreshed[""]:
        figures(day)
    run(None, [refresh_days], grader__mail="none")
    assert subjects() == []
    for day in refreshed[""]:
        figures(day, 58)
    run(None, [refresh_days])
    many = "отчёты за 10.05.2023–21.05.2023 (12 дней)"
    assert subjects() == [f"{COLLEAGUES}: Показатели изменились — {many}"]
    text = text_of("changed")
    assert "\nпн 15.05\nnew_users: было 158, стало 58\n" in text
    assert "14.05" not in text
    assert "Изменились и показатели ещё 5 дней — они в отчёте." in text


def test_days_that_no_run_of_their_own_reported_are_one_mail(run, subjects, figures):
    """Those of a table of another program, for example."""
    refreshed[""] = [f"2023-05-{day}" for day in range(10, 22)]
    for day in refreshed[""]:
        figures(day)
    run(None, [refresh_days])
    many = "отчёты за 10.05.2023–21.05.2023 (12 дней)"
    assert subjects() == [f"{COLLEAGUES}: Выгрузка grades завершена — {many}"]
    run(None, [refresh_days])
    run("2023-05-15")
    assert subjects() == []


@pytest.mark.parametrize("ends", ["fails", "is canceled"])
def test_what_a_run_refreshed_is_mailed_however_it_ends(run, subjects, figures, ends):
    for day in ("30", "31"):
        figures(f"2023-05-{day}")
    run("2023-05-31")
    assert subjects() == [SUCCESS]
    refreshed["2023-05-30"] = ["2023-05-31"]
    late_trouble["2023-05-30"] = ValueError("odd") if ends == "fails" else CANCELLATION
    figures("2023-05-31", 58)
    run("2023-05-30")
    own = SUCCESS if ends == "is canceled" else FAILURE
    assert sorted(subjects()) == sorted([CHANGED, own.replace("31.05", "30.05")])


def test_a_day_that_failed_is_not_there_because_another_refreshed_it(
    run, subjects, figures, outbox_rows
):
    figures("2023-05-31")
    trouble["2023-05-31"] = ValueError("odd")
    run()
    assert subjects() == [FAILURE]
    refreshed["2023-05-30"] = ["2023-05-31"]
    run("2023-05-30")
    assert subjects() == [SUCCESS.replace("31.05", "30.05")]
    trouble.clear()
    run()
    assert sorted(subjects()) == sorted([SUCCESS, RECOVERED])
    (row,) = [row for row in outbox_rows() if row["kind"] == "recovered"]
    assert row["report_date"] == dt.date(2023, 5, 31)


def test_a_silent_run_mails_only_a_failure(run, subjects, figures):
    figures("2023-05-31")
    trouble["2023-05-31"] = ValueError("odd")
    run(grader__mail="none")
    assert subjects() == [FAILURE]
    trouble.clear()
    run(grader__mail="none")
    assert subjects() == [RECOVERED]
    figures("2023-05-31", 58)
    run(grader__mail="none")
    run()
    assert subjects() == []
    figures("2023-05-31", 60)
    run()
    assert subjects() == [CHANGED]


def as_an_earlier_release_left_it(postgres, *, has_outbox: bool) -> None:
    with postgres.transaction() as db:
        db.execute("DROP TABLE mailed_day, mailed_metric")
        if not has_outbox:  # A digest's mail does not name its days.
            db.execute("DELETE FROM mail_outbox")
        for migration in ("160_mailed_days", "180_what_figures_mean"):
            db.execute(statement(f"schema/{migration}"))


@pytest.mark.parametrize("has_outbox", [True, False])
def test_what_an_earlier_release_mailed_is_not_mailed_again(
    run, subjects, figures, postgres, has_outbox
):
    figures("2023-05-31")
    run()
    assert subjects() == [SUCCESS]
    as_an_earlier_release_left_it(postgres, has_outbox=has_outbox)
    run()
    assert subjects() == []
    figures("2023-05-31", 58)
    run()
    assert subjects() == [CHANGED]


def test_what_an_earlier_release_had_not_decided_yet_is_mailed(run, subjects, figures, postgres):
    figures("2023-05-30")
    figures("2023-05-31")
    trouble["2023-05-30"] = ValueError("odd")
    run("2023-05-30")
    assert subjects() == [FAILURE.replace("31.05", "30.05")]
    trouble.clear()
    run("2023-05-30")
    run("2023-05-31")
    run("2023-05-31")
    as_an_earlier_release_left_it(postgres, has_outbox=True)
    first = [mail.replace("31.05", "30.05") for mail in (SUCCESS, RECOVERED)]
    assert sorted(subjects()) == sorted([SUCCESS, *first])


def test_a_mail_says_which_days_can_still_change_its_metrics(
    instance, run, subjects, figures, postgres, text_of, html_of
):
    figures("2023-05-31")
    outdate(postgres, "2023-05-30")
    for day, status in {
        "2023-05-29": dg.DagsterRunStatus.NOT_STARTED, "2023-05-28": dg.DagsterRunStatus.STARTED,
        "2023-05-27": dg.DagsterRunStatus.FAILURE, "2023-05-01": dg.DagsterRunStatus.NOT_STARTED,
        "2023-06-01": dg.DagsterRunStatus.NOT_STARTED,
    }.items():  # fmt: skip
        tags = {"dagster/partition": day}
        instance.add_run(dg.DagsterRun("grader_day", status=status, tags=tags))
    run()
    assert subjects() == [SUCCESS]
    sentence = f"{WAITS}28.05.2023–30.05.2023 (3 дня)."
    assert sentence in text_of("success")
    assert sentence in html_of("success")
    figures("2023-05-31", 58)
    run()
    assert subjects() == [CHANGED]
    assert sentence in text_of("changed")
    assert sentence in html_of("changed")


def test_a_mail_says_that_its_own_day_waits(run, subjects, figures, postgres, text_of):
    figures("2023-05-31")
    outdate(postgres, "2023-05-31")
    run()
    assert subjects() == [SUCCESS]
    assert f"{WAITS}31.05.2023 (1 день)." in text_of("success")


def test_a_mail_of_settled_days_says_nothing_of_waiting(run, subjects, figures, text_of):
    figures("2023-05-31")
    run()
    assert subjects() == [SUCCESS]
    assert "могут измениться" not in text_of("success")


def test_a_mails_metrics_and_the_days_it_waits_for_are_of_one_moment(
    run, subjects, figures, postgres, text_of, monkeypatch, database_url
):
    figures("2023-05-31")
    outdate(postgres, "2023-05-30")
    real = run_mails.read_day

    def read_day(db, day):
        report = real(db, day)
        with psycopg.connect(database_url) as other:  # a refresh ends meanwhile
            other.execute("DELETE FROM report_day")
            other.execute("DELETE FROM rollup_day")
            other.execute("UPDATE daily_metrics SET value = 58")
        return report

    monkeypatch.setattr(run_mails, "read_day", read_day)
    run()
    assert subjects() == [SUCCESS]
    assert "new_users: 158" in text_of("success")
    assert f"{WAITS}30.05.2023 (1 день)." in text_of("success")
    monkeypatch.undo()


KILLED = """
import os, signal, sys
import dagster as dg
from grader_pipeline.mail import outbox
from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import Cursor, evaluate
from grader_pipeline.resources.postgres import Postgres

enqueue = outbox.enqueue

def enqueue_and_die(*given, **named):
    enqueue(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

outbox.enqueue = enqueue_and_die
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    evaluate(instance, Postgres(), Mail(), Cursor())
"""


def test_a_daemon_killed_between_deciding_and_settling_mails_and_remembers_once(
    instance, run, subjects, figures, postgres, outbox_rows
):
    figures("2023-05-31")
    run()
    die_while_deciding(instance)
    assert outbox_rows() == []
    assert subjects() == [SUCCESS]
    figures("2023-05-31", 58)
    run()
    die_while_deciding(instance)
    assert len(outbox_rows()) == 1
    assert subjects() == [CHANGED]
    run()
    assert subjects() == []


def die_while_deciding(instance) -> None:
    command = [sys.executable, "-c", KILLED, instance.root_directory]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
