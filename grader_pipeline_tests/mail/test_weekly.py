"""A week is mailed when its Sunday is reported, and again when days that were missing are there."""

import datetime as dt
import time

import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from grader_pipeline import partitions
from grader_pipeline.mail import weekly
from grader_pipeline.mail.letter import write
from grader_pipeline.mail.message import Links
from grader_pipeline_tests.mail.mail_runs import COLLEAGUES, SUCCESS, trouble
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import COURSE, DAY, OK, OTHER, RUN, WRONG, X, Y, at

SUNDAY = dt.date(2023, 5, 28)
READY = SUCCESS.replace("31.05", "28.05")
DATES = "22.05.2023–28.05.2023"
WEEK = f"{COLLEAGUES}: Неделя {DATES} — итоги по курсам"
LINKS = Links("Таблица", "https://sheet.example/")
BACK = (DAY - SUNDAY).days


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def today(monkeypatch):
    def is_now(day: dt.date) -> None:
        monkeypatch.setattr(partitions, "today", lambda now=None: day)

    is_now(SUNDAY + dt.timedelta(days=1))
    return is_now


@pytest.fixture
def sunday(figures, today):
    """The tables have both weeks."""
    for back in range(14):
        figures((SUNDAY - dt.timedelta(days=back)).isoformat())


def test_the_week_is_mailed_once_on_monday(run, subjects, sunday, figures):
    run(SUNDAY.isoformat())
    assert sorted(subjects()) == sorted([READY, WEEK])
    figures(SUNDAY.isoformat(), 58)
    run(SUNDAY.isoformat())
    assert WEEK not in subjects()


def test_a_sunday_that_failed_is_mailed_with_its_week_when_it_is_there(
    run, subjects, sunday, today
):
    trouble[SUNDAY.isoformat()] = ValueError("odd")
    run(SUNDAY.isoformat())
    assert WEEK not in subjects()
    trouble.clear()
    today(SUNDAY + dt.timedelta(days=3))
    run(SUNDAY.isoformat())
    assert WEEK in subjects()


@pytest.mark.parametrize("why", ["old", "silent", "no Sunday"])
def test_no_week_is_mailed_that_is_history_silent_or_not_over(
    run, subjects, sunday, today, why, figures
):
    if why == "old":
        today(SUNDAY + dt.timedelta(days=7))
    figures("2023-05-27")
    tags = {"grader__mail": "none"} if why == "silent" else {}
    run("2023-05-27" if why == "no Sunday" else SUNDAY.isoformat(), **tags)
    assert WEEK not in subjects()


def test_the_backfill_of_a_sunday_is_followed_by_its_week(instance, run, subjects, sunday):
    names, began = [SUNDAY.isoformat()], time.time()
    instance.add_backfill(
        PartitionBackfill(
            "one", BulkActionStatus.COMPLETED_SUCCESS, False, {}, began, partition_names=names
        )
    )
    run(SUNDAY.isoformat(), dagster__backfill="one")
    assert sorted(subjects()) == sorted([READY, WEEK])


def week_of_school(postgres) -> School:
    """Twelve learners solve a third of what they try, then two thirds. Another course shrinks."""
    school = School(postgres)
    for back in range(BACK + 13, BACK - 1, -1):
        is_last_week = back < BACK + 7
        solved = 8 if is_last_week else 4
        attempts = [
            at(f"10:{n:02}", f"name {n}", n < solved, X, COURSE, back=back) for n in range(12)
        ]
        others = range(6 if is_last_week else 15)
        attempts += [at(f"11:{n:02}", f"other {n}", WRONG, Y, OTHER, back=back) for n in others]
        tiny = [f"course-v1:S+TINY+{n % 2}" for n in range(5)]
        attempts += [at("12:00", f"shy {n}", OK, X, tiny[n], back=back) for n in range(5)]
        school.load(DAY - dt.timedelta(days=back), attempts if back % 7 == BACK % 7 else [])
    for back in range(BACK + 13, BACK - 1, -1):
        school.compute(DAY - dt.timedelta(days=back), "daily_metrics")
    school.compute(SUNDAY)
    return school


def test_the_week_says_what_improved_what_to_look_at_and_each_course(postgres):
    week_of_school(postgres)
    with postgres.transaction() as db:
        message = weekly.weekly(db, SUNDAY, [], LINKS)
    text = write(message).text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Попыток (submit): 23\n    ▼ −9 (−28,1 %) к прошлой неделе" in text
    assert "Юзеров с попытками: 23\n    ▼ −9 (−28,1 %) к прошлой неделе" in text
    better = next(part for part in message.parts if part.title == "Что стало лучше")
    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in better.lines] == [
        f"{COURSE}: успешных submit 66,7 %, было 33,3 %."
    ]
    warnings = [line.replace("\N{NO-BREAK SPACE}", " ") for line in message.warnings]
    assert f"{OTHER}: занимались 6 юзеров, было 15." in warnings
    assert f"{COURSE}: юзеров 12, попыток (submit) 12, из них успешных 66,7 % ▲+33,4 п.п." in text
    assert "TINY" not in text, "a group of two"


def test_a_week_with_days_missing_says_so_first_and_is_not_compared(postgres):
    school = School(postgres)
    for back in (BACK + 1, BACK):
        attempts = [at(f"10:0{n}", f"name {n}", RUN, back=back) for n in range(6)]
        school.load(DAY - dt.timedelta(days=back), attempts)
        school.compute(DAY - dt.timedelta(days=back))
    with postgres.transaction() as db:
        message = weekly.weekly(db, SUNDAY, [], LINKS)
    assert not any(figure.change for figure in message.figures)
    assert plain(message.subject) == f"Неделя {DATES} — пока данные за 2 дня из 7"
    assert plain(message.sentence).startswith(
        f"Неделя {DATES} неполная: есть данные за 2 дня из 7. Все числа ниже — только за эти дни"
    )
    assert message.preheader == message.sentence
    assert "рядом с предыдущей" not in write(message).text


@pytest.mark.parametrize(
    ("known", "why"),
    [(range(7), "за неё данных нет"), (range(12), "за неё есть данные за 5 дней из 7")],
)
def test_a_whole_week_without_the_week_before_says_why_it_is_not_compared(
    postgres, figures, known, why
):
    for back in known:
        figures((SUNDAY - dt.timedelta(days=back)).isoformat(), 40 + back, "submits")
    with postgres.transaction() as db:
        message = weekly.weekly(db, SUNDAY, [], LINKS)
    assert not any(figure.change for figure in message.figures)
    assert plain(message.sentence).endswith(f"Сравнить её с предыдущей нельзя: {why}.")
    assert message.preheader == "Попыток (submit): 301", "the mail has all of its own days"


def test_a_week_that_was_mailed_with_days_missing_is_mailed_again_when_they_are_there(
    postgres, figures, today, outbox_rows, text_of
):
    known: set[str] = set()

    def load(back: int) -> list[str]:
        """The subjects of the new mails when this day's run has ended."""
        day = SUNDAY - dt.timedelta(days=back)
        figures(day.isoformat())
        with postgres.transaction() as db:
            weekly.enqueue(db, "run", [day], [], LINKS)
        new = [row for row in outbox_rows() if row["key"] not in known]
        known.update(row["key"] for row in new)
        return [row["subject"] for row in new]

    whole = WEEK.removeprefix(f"{COLLEAGUES}: ")
    part = whole.replace("итоги по курсам", "пока данные за 1\N{NO-BREAK SPACE}день из 7")
    assert load(0) == [part]
    again = "Предыдущее письмо об этой неделе было неполным"
    assert again not in text_of("weekly")
    assert [load(back) for back in range(1, 6)] == [[]] * 5, "one mail when all are there"
    assert load(6) == [whole]
    assert again in text_of("weekly")
    assert [load(back) for back in range(7, 13)] == [[]] * 6
    assert load(13) == [whole], "now it can be compared"
    assert "рядом с предыдущей" in text_of("weekly")
    assert again in text_of("weekly")


def test_a_week_that_was_not_mailed_is_not_completed_by_a_mail(run, subjects, sunday):
    run(SUNDAY.isoformat(), grader__mail="none")
    run((SUNDAY - dt.timedelta(days=1)).isoformat())
    assert WEEK not in subjects()
