"""What the digest of a backfill says, and what is mailed when that is no longer true."""

import email
import email.policy
import time

import dagster as dg
import pytest
from dagster._core.events import StepMaterializationData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.mail import candidates, run_outcome
from grader_pipeline.refresh import refresh
from grader_pipeline_tests.mail.mail_days import DAY, insert_metrics, outdate
from grader_pipeline_tests.mail.mail_runs import (
    CANCELLATION,
    COLLEAGUES,
    OWNER,
    RECOVERED,
    SUCCESS,
    late_trouble,
    raw_attempts,
    refresh_days,
    refreshed,
    sheet_report,
    trouble,
)

THREE_DAYS = "отчёты за 29.05.2023–31.05.2023 (3 дня)"
PARTLY_DONE = f"Выгрузка grades завершена не полностью — {THREE_DAYS}"
PARTLY = [f"{COLLEAGUES}: {PARTLY_DONE}", f"{OWNER}: {PARTLY_DONE}"]
"""One mail each: the owners' has the technical texts."""


@pytest.fixture(autouse=True)
def metrics(figures):
    """The tables have the days."""
    for day in ("29", "30", "31"):
        figures(f"2023-05-{day}")


@pytest.fixture
def run_of_backfill(run):
    """Run a day, or several, of the backfill of three days."""

    def run_days(*days: str, **tags: str) -> list[str]:
        return [run(f"2023-05-{day}", dagster__backfill="threedays", **tags) for day in days]

    return run_days


@pytest.fixture
def backfill(instance):
    """A job backfill of three days, its status in the test's hands."""
    days = ["2023-05-29", "2023-05-30", "2023-05-31"]
    backfill = PartitionBackfill(
        "threedays", BulkActionStatus.REQUESTED, False, {}, time.time(), partition_names=days
    )
    instance.add_backfill(backfill)

    def end(status: BulkActionStatus, **tags: str) -> None:
        ended = backfill.with_status(status)._replace(tags=tags)
        instance.update_backfill(ended)

    return end


def test_a_backfill_gives_one_digest_when_it_has_ended(run, subjects, backfill, postgres, settings):
    with postgres.transaction() as db:
        insert_metrics(db, DAY, {"submits": ("Количество попыток (submit)", 2513)})
    for day in ("29", "30", "31"):
        run(f"2023-05-{day}", dagster__backfill="threedays")
    assert subjects() == []
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    expected = f"{COLLEAGUES}: Выгрузка grades завершена — отчёты за 29.05.2023–31.05.2023 (3 дня)"
    assert subjects() == [expected]
    assert subjects() == []
    (file,) = (settings / "outbox").glob("*.eml")
    html = email.message_from_bytes(file.read_bytes(), policy=email.policy.default).get_body()
    assert "2\N{NO-BREAK SPACE}513" in html.get_content()


def test_a_digest_lists_what_failed_and_what_was_not_run_and_why_for_the_owners(
    run, subjects, backfill, text_of
):
    trouble["2023-05-30"] = PermanentFailure("The key is refused.")
    run("2023-05-29", dagster__backfill="threedays")
    run("2023-05-30", dagster__backfill="threedays")
    backfill(BulkActionStatus.CANCELED)
    assert sorted(subjects()) == PARTLY
    for kind in ("backfill", "backfill_trouble"):
        assert "Не удалось: 30.05.2023. Получить данные за день от API" in text_of(kind)
        assert "Не выполнялось: 31.05.2023." in text_of(kind)
    assert "raw_attempts: The key is refused." in text_of("backfill_trouble")
    assert "The key is refused." not in text_of("backfill"), "colleagues read no English"


def test_an_owner_who_is_a_colleague_gets_one_mail_about_a_backfill(
    run_of_backfill, subjects, backfill, monkeypatch
):
    monkeypatch.setenv("MAIL_ON_FAILURE_TO", "anna@school.example")
    trouble["2023-05-31"] = ValueError("odd")
    run_of_backfill("29", "30", "31")
    backfill(BulkActionStatus.COMPLETED_FAILED)
    anna, boris = COLLEAGUES.split(", ")
    assert sorted(subjects()) == [f"{anna}: {PARTLY_DONE}", f"{boris}: {PARTLY_DONE}"]


def test_a_backfill_without_a_run_is_mailed_too(subjects, backfill):
    backfill(BulkActionStatus.FAILED)
    assert subjects() == [
        f"{OWNER}: Выгрузка grades не удалась — отчёты за 29.05.2023–31.05.2023 (3 дня)"
    ]


def test_the_days_an_asset_backfill_was_asked_for_are_known(instance, run, subjects):
    assets = dg.Definitions(assets=[raw_attempts, sheet_report])
    asked = PartitionBackfill.from_asset_partitions(
        backfill_id="ofassets",
        asset_graph=assets.get_repository_def().asset_graph,
        partition_names=["2023-05-30", "2023-05-31"],
        asset_selection=[raw_attempts.key, sheet_report.key],
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    instance.add_backfill(asked.with_status(BulkActionStatus.CANCELED))
    run("2023-05-30", dagster__backfill="ofassets")
    for digest in subjects():
        assert digest.endswith("не полностью — отчёты за 30.05.2023–31.05.2023 (2 дня)")


def test_a_run_added_to_a_backfill_after_its_digest_has_its_own_mail(run, subjects, backfill):
    run("2023-05-29", dagster__backfill="threedays")
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    assert sorted(subjects()) == PARTLY
    run("2023-05-31", dagster__backfill="threedays")
    assert sorted(subjects()) == sorted([SUCCESS, RECOVERED])


def test_a_digest_waits_for_the_retry_of_a_failed_run_also_if_dagster_failed_the_backfill(
    instance, run, run_of_backfill, subjects, backfill, text_of
):
    trouble["2023-05-31"] = ValueError("odd")
    *_, failed = run_of_backfill("29", "30", "31")
    instance.add_run_tags(failed, {"dagster/will_retry": "true"})
    backfill(BulkActionStatus.FAILED)
    assert subjects() == [], "Dagster will retry the failed run"
    trouble.clear()
    retry = run()  # Dagster gives it no tag of a backfill that has ended.
    instance.add_run_tags(failed, {"dagster/auto_retry_run_id": retry})
    assert subjects() == [f"{COLLEAGUES}: Выгрузка grades завершена — {THREE_DAYS}"]
    assert "Не удалось" not in text_of("backfill")
    assert subjects() == []


def test_a_retry_without_the_tag_of_its_ended_backfill_belongs_to_the_digest(
    instance, run_of_backfill, subjects, backfill, postgres, monkeypatch
):
    trouble["2023-05-30"] = ValueError("odd")
    trouble["2023-05-31"] = ValueError("odd")
    _, undecided, failed = run_of_backfill("29", "30", "31")
    retry = dg.DagsterRun(
        "grader_day", status=dg.DagsterRunStatus.SUCCESS, parent_run_id=failed,
        root_run_id=failed, tags={"dagster/partition": "2023-05-31"},
    )  # fmt: skip
    instance.add_run(retry)
    materialization = dg.AssetMaterialization("sheet_report", partition="2023-05-31")
    instance.report_dagster_event(
        dg.DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value, "grader_day",
            event_specific_data=StepMaterializationData(materialization),
        ),
        retry.run_id,
    )  # fmt: skip
    with postgres.transaction() as db:
        candidates.see(db, "run", retry.run_id, time.time())
    instance.add_run_tags(failed, {"dagster/auto_retry_run_id": retry.run_id})
    instance.add_run_tags(undecided, {"dagster/will_retry": "true"})
    backfill(BulkActionStatus.FAILED)
    assert subjects() == [], "the digest waits for another run"
    monkeypatch.setattr(run_outcome, "RETRY_WAIT", run_outcome.RETRY_WAIT * 0)
    assert sorted(subjects()) == PARTLY
    assert subjects() == []


def test_a_lost_retry_holds_no_digest_for_ever_and_what_it_does_later_is_mailed(
    instance, run, run_of_backfill, subjects, backfill, text_of, monkeypatch
):
    trouble["2023-05-31"] = ValueError("odd")
    *_, failed = run_of_backfill("29", "30", "31")
    instance.add_run_tags(failed, {"dagster/will_retry": "true"})
    backfill(BulkActionStatus.FAILED)
    assert subjects() == []
    monkeypatch.setattr(run_outcome, "RETRY_WAIT", run_outcome.RETRY_WAIT * 0)
    assert sorted(subjects()) == PARTLY
    assert "Не удалось: 31.05.2023" in text_of("backfill")
    trouble.clear()
    instance.add_run_tags(failed, {"dagster/auto_retry_run_id": run()})
    assert sorted(subjects()) == sorted([SUCCESS, RECOVERED])


def test_a_run_that_goes_on_when_its_backfill_has_failed_is_waited_for_and_then_named(
    instance, run_of_backfill, subjects, backfill, text_of, monkeypatch
):
    run_of_backfill("29", "30")
    started = dg.DagsterRun(
        "grader_day", status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/backfill": "threedays", "dagster/partition": "2023-05-31"},
    )  # fmt: skip
    instance.add_run(started)
    backfill(BulkActionStatus.FAILED)
    assert subjects() == []
    monkeypatch.setattr(run_outcome, "RETRY_WAIT", run_outcome.RETRY_WAIT * 0)
    assert sorted(subjects()) == PARTLY
    text = text_of("backfill")
    assert "Ещё выполняется: 31.05.2023" in text
    assert "Не выполнялось" not in text
    assert "Не удалось" not in text


def test_a_run_that_ends_after_the_digest_has_a_mail_of_its_own_even_if_it_changed_nothing(
    instance, run, run_of_backfill, subjects, backfill, monkeypatch
):
    """Colleagues had the report before the backfill, then read that its day goes on."""
    run()
    assert subjects() == [SUCCESS]
    run_of_backfill("29", "30")
    going_on = dg.DagsterRun(
        "grader_day", status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/backfill": "threedays", "dagster/partition": "2023-05-31"},
    )  # fmt: skip
    instance.add_run(going_on)
    backfill(BulkActionStatus.FAILED)
    monkeypatch.setattr(run_outcome, "RETRY_WAIT", run_outcome.RETRY_WAIT * 0)
    assert sorted(subjects()) == PARTLY
    run_of_backfill("31")
    assert subjects() == [SUCCESS]


@pytest.mark.parametrize("loads", [True, False])
def test_a_failed_day_of_a_digest_that_is_loaded_by_hand_is_mailed(
    run, run_of_backfill, subjects, backfill, loads
):
    """Also if colleagues had its report before the backfill, and no metric of it changed."""
    if loads:
        run()
        assert subjects() == [SUCCESS]
    trouble["2023-05-31"] = ValueError("odd")
    run_of_backfill("29", "30", "31")
    backfill(BulkActionStatus.COMPLETED_FAILED)
    assert sorted(subjects()) == PARTLY
    trouble.clear()
    run()
    assert sorted(subjects()) == sorted([SUCCESS, RECOVERED])
    run()
    assert subjects() == []


def test_days_of_a_digest_that_another_backfill_loads_make_one_mail_to_the_owners(
    instance, run, run_of_backfill, subjects, backfill
):
    for day in ("29", "30", "31"):
        trouble[f"2023-05-{day}"] = ValueError("odd")
    run_of_backfill("29", "30", "31")
    backfill(BulkActionStatus.COMPLETED_FAILED)
    assert subjects() == [f"{OWNER}: Выгрузка grades не удалась — {THREE_DAYS}"]
    trouble.clear()
    days = ["2023-05-29", "2023-05-30", "2023-05-31"]
    again = PartitionBackfill(
        "again", BulkActionStatus.COMPLETED_SUCCESS, False, {}, time.time(), partition_names=days
    )
    instance.add_backfill(again)
    for day in days:
        run(day, dagster__backfill="again")
    assert sorted(subjects()) == sorted(
        [
            f"{COLLEAGUES}: Выгрузка grades завершена — {THREE_DAYS}",
            f"{OWNER}: Выгрузка grades снова в порядке — {THREE_DAYS}",
        ]
    )


def test_a_canceled_backfill_says_of_loaded_days_what_the_tables_and_the_sheet_have(
    postgres, run_of_backfill, subjects, backfill, text_of
):
    late_trouble["2023-05-29"] = CANCELLATION
    trouble["2023-05-30"] = CANCELLATION
    _, loaded = run_of_backfill("29", "30")
    with postgres.transaction() as db:
        db.execute(
            "INSERT INTO grader_load (report_date, run_id, received, loaded, already_there,"
            " duplicates, rejected, differing, body_sha256)"
            " VALUES ('2023-05-30', %s, 1, 1, 0, 0, 0, 0, 'x')",
            [loaded],
        )
    backfill(BulkActionStatus.CANCELED)
    assert sorted(subjects()) == PARTLY
    text = text_of("backfill")
    assert "за 29.05.2023 обновлены" in text
    assert "Отчёта ещё нет: 30.05.2023" in text
    assert "Не выполнялось: 31.05.2023" in text


def test_a_day_that_is_not_in_the_tables_is_not_reported(
    postgres, run_of_backfill, subjects, backfill, text_of
):
    run_of_backfill("29", "30", "31")
    with postgres.transaction() as db:
        db.execute("DELETE FROM daily_metrics WHERE report_date = '2023-05-30'")
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    assert sorted(subjects()) == PARTLY
    assert "Отчёта ещё нет: 30.05.2023" in text_of("backfill")


def test_a_day_that_a_run_by_hand_loads_before_the_digest_counts_as_reported(
    instance, run, run_of_backfill, subjects, backfill, text_of
):
    trouble["2023-05-31"] = ValueError("odd")
    run_of_backfill("29", "30", "31")
    trouble.clear()
    run()
    backfill(BulkActionStatus.COMPLETED_FAILED)
    assert subjects() == [f"{COLLEAGUES}: Выгрузка grades завершена — {THREE_DAYS}"]


def test_a_day_that_is_only_refreshed_by_another_does_not_count_as_loaded(
    run_of_backfill, subjects, backfill, text_of
):
    refreshed["2023-05-30"] = ["2023-05-31"]
    trouble["2023-05-31"] = ValueError("odd")
    run_of_backfill("29", "31", "30")
    backfill(BulkActionStatus.COMPLETED_FAILED)
    assert sorted(subjects()) == PARTLY
    assert "Не удалось: 31.05.2023" in text_of("backfill")


def test_a_digest_says_which_metrics_changed_of_days_that_had_been_mailed(
    run, run_of_backfill, subjects, backfill, figures, text_of
):
    figures("2023-06-01", 7)
    run("2023-05-31")
    run("2023-06-01")
    assert len(subjects()) == 2
    refreshed["2023-05-30"] = ["2023-06-01"]
    run_of_backfill("29", "30", "31")
    figures("2023-05-31", 58)
    figures("2023-06-01", 8)
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    assert subjects() == [f"{COLLEAGUES}: Выгрузка grades завершена — {THREE_DAYS}"]
    assert (
        "Какие показатели изменились\nчт 01.06\nnew_users: было 7, стало 8\n"
        "ср 31.05\nnew_users: было 158, стало 58\n"
    ) in text_of("backfill")
    run("2023-06-01")
    run("2023-05-30")
    assert subjects() == []


def test_a_digest_waits_for_later_days_to_be_computed_again_and_is_then_the_only_mail(
    instance, postgres, run, run_of_backfill, subjects, backfill, figures, text_of
):
    for day, value in {"2023-06-01": 132, "2023-06-02": 70}.items():
        figures(day, value)
        run(day)
    assert len(subjects()) == 2
    refreshed["2023-05-31"] = ["2023-06-01"]
    run_of_backfill("29", "30", "31")
    figures("2023-06-01", 28)
    outdate(postgres, "2023-06-01")
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    assert subjects() == [], "the day is computed again in a moment"
    figures("2023-06-01", 14)
    figures("2023-06-02", 60)
    with postgres.transaction() as db:
        db.execute("DELETE FROM report_day")
    writing = dg.DagsterRun(refresh.name, status=dg.DagsterRunStatus.STARTED)
    instance.add_run(writing)
    assert subjects() == [], "the day is not in the sheet yet"
    instance.delete_run(writing.run_id)
    refreshed[""] = ["2023-06-01", "2023-06-02"]
    run(None, [refresh_days])
    assert subjects() == [f"{COLLEAGUES}: Выгрузка grades завершена — {THREE_DAYS}"]
    text = text_of("backfill")
    assert "new_users: было 132, стало 14" in text
    assert "new_users: было 70, стало 60" in text
    assert "могут измениться" not in text
    assert subjects() == []


def test_a_day_that_stays_waiting_holds_no_digest_for_ever(
    postgres, run_of_backfill, subjects, backfill, text_of, monkeypatch
):
    run_of_backfill("29", "30", "31")
    outdate(postgres, "2023-05-31")
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    assert subjects() == []
    monkeypatch.setattr(candidates, "REFRESH_WAIT", candidates.REFRESH_WAIT * 0)
    assert subjects() == [f"{COLLEAGUES}: Выгрузка grades завершена — {THREE_DAYS}"]
    assert "не закончена обработка данных за 31.05.2023 (1 день)." in text_of("backfill")


def test_a_digest_says_which_days_can_still_change_it(
    instance, run_of_backfill, subjects, backfill, text_of
):
    instance.add_run(
        dg.DagsterRun(
            "grader_day", status=dg.DagsterRunStatus.NOT_STARTED,
            tags={"dagster/partition": "2023-05-28"},
        )
    )  # fmt: skip
    run_of_backfill("29", "30", "31")
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    assert len(subjects()) == 1
    assert "не закончена обработка данных за 28.05.2023 (1 день)." in text_of("backfill")


def test_a_silent_backfill_mails_nobody_and_later_runs_mail_only_what_changed(
    run, run_of_backfill, subjects, backfill, figures
):
    run_of_backfill("29", "30", "31", grader__mail="none")
    backfill(BulkActionStatus.COMPLETED_SUCCESS, **{"grader/mail": "none"})
    assert subjects() == []
    run()
    assert subjects() == []
    figures("2023-05-31", 58)
    run()
    assert subjects() == [f"{COLLEAGUES}: Показатели изменились — отчёт за 31.05.2023"]


def test_the_owners_get_the_digest_of_a_silent_backfill_with_a_failure(
    run, run_of_backfill, subjects, backfill
):
    trouble["2023-05-31"] = ValueError("odd")
    run_of_backfill("29", "30", "31", grader__mail="none")
    backfill(BulkActionStatus.COMPLETED_FAILED, **{"grader/mail": "none"})
    assert subjects() == PARTLY[1:]
    trouble.clear()
    run()
    assert sorted(subjects()) == sorted([SUCCESS, RECOVERED])


def test_a_silent_backfill_that_was_canceled_mails_nobody(subjects, backfill):
    backfill(BulkActionStatus.CANCELED, **{"grader/mail": "none"})
    assert subjects() == []
