"""Which runs call for which mails: real runs on a real Dagster instance, mails as files."""

import email
import email.policy
import time

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from pydantic import ValidationError

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.mail import run_outcome
from grader_pipeline.mail.sensor import Cursor, evaluate, mail_sensor
from grader_pipeline_tests.mail.mail_days import DAY, insert_metrics
from grader_pipeline_tests.mail.mail_server import MailServer

DAYS = dg.DailyPartitionsDefinition("2023-04-01")
trouble: dict[str, Exception] = {}


@dg.asset(partitions_def=DAYS)
def raw_attempts(context: dg.AssetExecutionContext) -> None:
    if context.partition_key in trouble:
        raise trouble[context.partition_key]


@dg.asset(partitions_def=DAYS, deps=[raw_attempts])
def sheet_report() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"sheet": dg.MetadataValue.url("https://sheet.example/")})


@pytest.fixture(autouse=True)
def no_trouble():
    trouble.clear()


@pytest.fixture
def run(instance):
    def run(day: str = "2023-05-31", assets=(raw_attempts, sheet_report), **tags: str) -> str:
        tags = {name.replace("__", "/"): value for name, value in tags.items()}
        return dg.materialize(
            list(assets), instance=instance, partition_key=day, tags=tags, raise_on_error=False
        ).run_id

    return run


COLLEAGUES, OWNER = "anna@school.example, boris@school.example", "owner@school.example"
SUCCESS = f"{COLLEAGUES}: Выгрузка grades завершена — отчёт за 31.05.2023"
FAILURE = f"{OWNER}: Выгрузка grades не удалась — отчёт за 31.05.2023"
RECOVERED = f"{OWNER}: Выгрузка grades снова в порядке — отчёт за 31.05.2023"


def test_each_successful_run_mails_its_day_once(run, subjects):
    run()
    assert subjects() == [SUCCESS]
    assert subjects() == []
    run()
    assert subjects() == [SUCCESS]


def test_runs_that_ended_before_the_first_start_are_not_lost(run, subjects):
    run("2023-05-30")
    run("2023-05-31")
    assert [subject[-10:] for subject in subjects()] == ["30.05.2023", "31.05.2023"]


def test_a_run_that_did_not_write_the_report_claims_nothing(run, subjects):
    run(assets=[raw_attempts])
    assert subjects() == []


def test_a_failure_is_mailed_once_per_day_and_cause_and_its_end_once(run, subjects):
    trouble["2023-05-31"] = ValueError("row 4711 is odd\nDETAIL: 3583bf109f8b458e13ae1ac9d85c396a")
    run()
    assert subjects() == [FAILURE]
    trouble["2023-05-31"] = ValueError("row 4712 is odd")
    run()
    assert subjects() == []
    trouble["2023-05-31"] = PermanentFailure("The key is refused.")
    run()
    assert subjects() == [FAILURE]
    trouble.clear()
    run("2023-05-30")
    assert subjects() == [SUCCESS.replace("31.05", "30.05")]
    run()
    run()
    assert sorted(subjects()) == sorted([SUCCESS, SUCCESS, RECOVERED])


def test_the_same_cause_after_a_recovery_is_mailed_again(run, subjects):
    trouble["2023-05-31"] = ValueError("odd")
    run()
    trouble.clear()
    run()
    assert sorted(subjects()) == sorted([FAILURE, SUCCESS, RECOVERED])
    trouble["2023-05-31"] = ValueError("odd")
    run()
    assert subjects() == [FAILURE]


def test_a_run_that_dagster_will_retry_is_silent_until_the_retry_ended(
    instance, run, subjects, monkeypatch
):
    trouble["2023-05-31"] = ValueError("odd")
    failed = run()
    instance.add_run_tags(failed, {"dagster/will_retry": "true"})
    trouble.clear()
    later = run()
    assert subjects() == [], "a later run of the day waits for the retry of the failed one"
    instance.add_run_tags(failed, {"dagster/auto_retry_run_id": later})
    assert subjects() == [SUCCESS]


def test_a_retry_that_never_comes_ends_in_the_failure_mail(instance, run, subjects, monkeypatch):
    trouble["2023-05-31"] = ValueError("odd")
    instance.add_run_tags(run(), {"dagster/will_retry": "true"})
    assert subjects() == []
    monkeypatch.setattr(run_outcome, "RETRY_WAIT", run_outcome.RETRY_WAIT * 0)
    assert subjects() == [FAILURE]


@pytest.fixture
def backfill(instance):
    """A job backfill of three days, its status in the test's hands."""
    days = ["2023-05-29", "2023-05-30", "2023-05-31"]
    backfill = PartitionBackfill(
        "threedays", BulkActionStatus.REQUESTED, False, {}, time.time(), partition_names=days
    )
    instance.add_backfill(backfill)

    def end(status: BulkActionStatus) -> None:
        instance.update_backfill(backfill.with_status(status))

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


def test_a_digest_lists_for_the_owners_what_failed_and_what_was_not_run(
    run, subjects, backfill, settings
):
    trouble["2023-05-30"] = PermanentFailure("The key is refused.")
    run("2023-05-29", dagster__backfill="threedays")
    run("2023-05-30", dagster__backfill="threedays")
    backfill(BulkActionStatus.CANCELED)
    assert subjects() == [
        f"{COLLEAGUES}, {OWNER}: "
        "Выгрузка grades завершена не полностью — отчёты за 29.05.2023–31.05.2023 (3 дня)"
    ]
    (file,) = (settings / "outbox").glob("*.eml")
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    text = "\n".join(message.get_body(("plain",)).get_content().splitlines())
    assert "Не удалось: 30.05.2023\n    raw_attempts: The key is refused." in text
    assert "Не выполнялось: 31.05.2023" in text


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
    (digest,) = subjects()
    assert digest.endswith("не полностью — отчёты за 30.05.2023–31.05.2023 (2 дня)")


def test_a_run_added_to_a_backfill_after_its_digest_has_its_own_mail(run, subjects, backfill):
    run("2023-05-29", dagster__backfill="threedays")
    backfill(BulkActionStatus.COMPLETED_SUCCESS)
    assert len(subjects()) == 1
    run("2023-05-31", dagster__backfill="threedays")
    assert subjects() == [SUCCESS]


def test_a_candidate_that_cannot_be_decided_does_not_stop_the_others(run, subjects, monkeypatch):
    real = run_outcome.sheet_days
    odd = run("2023-05-30")
    run()

    def sheet_days(instance, run_id):
        if run_id == odd:
            raise RuntimeError("odd run")
        return real(instance, run_id)

    monkeypatch.setattr(run_outcome, "sheet_days", sheet_days)
    assert subjects() == [SUCCESS]
    monkeypatch.undo()


@pytest.mark.parametrize("name", ["MAIL_TO", "SMTP_FROM"])
def test_a_setting_that_becomes_wrong_is_named_and_its_mails_come_when_it_is_right(
    instance, run, postgres, mail, subjects, outbox_rows, monkeypatch, name
):
    run()
    with monkeypatch.context() as wrong:
        wrong.setenv(name, "anna@school.example\nBcc: x")
        with pytest.raises(ValidationError, match=name.lower()):
            evaluate(instance, postgres, mail, Cursor())
    assert outbox_rows() == []
    assert subjects() == [SUCCESS]
    assert outbox_rows()[0]["attempts"] == 1


def test_the_sensors_line_shows_why_a_mail_waits_as_long_as_it_waits(
    instance, run, postgres, mail, serve, certificate, is_trusted, monkeypatch
):
    serve(MailServer("ssl", certificate, wants_login=True))
    monkeypatch.setenv("SMTP_USER", "robot@school.example")
    monkeypatch.setenv("SMTP_PASSWORD", "wrong-password")
    run()
    for _ in range(2):
        _, summary = evaluate(instance, postgres, mail, Cursor())
        assert summary.count("refuses the login of robot@school.example: 535") == 1
        assert "1 after an error, the next at " in summary
        assert "wrong-password" not in summary
    with postgres.transaction() as db:
        db.execute("UPDATE mail_outbox SET state = 'failed'")
    _, summary = evaluate(instance, postgres, mail, Cursor())
    assert "1 could not be delivered: see `grader-pipeline mail list`." in summary


def test_the_sensors_cursor_lags(instance, run, postgres, mail, outbox_rows):
    run()
    resources = {"postgres": postgres, "mail": mail}
    with dg.build_sensor_context(instance=instance, resources=resources) as context:
        result = mail_sensor(context)
        assert result.skip_message == "1 sent, 0 to be tried again."
        assert Cursor.parse(context.cursor).events == {}, (
            "events of the last minutes are read again"
        )
    assert Cursor.parse("from another version") == Cursor()
    _, summary = evaluate(instance, postgres, mail, Cursor.parse(context.cursor))
    assert summary == "0 sent, 0 to be tried again."
    assert len(outbox_rows()) == 1
