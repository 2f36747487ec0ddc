"""Which runs call for which mails: real runs on a real Dagster instance, mails as files."""

import dagster as dg
import pytest
from pydantic import ValidationError

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.mail import run_outcome, sheet_writes
from grader_pipeline.mail.sensor import Cursor, evaluate, mail_sensor
from grader_pipeline_tests.mail.mail_runs import (
    FAILURE,
    RECOVERED,
    SUCCESS,
    raw_attempts,
    trouble,
)
from grader_pipeline_tests.mail.mail_server import MailServer


def test_each_successful_run_of_a_day_is_decided_once(run, subjects):
    run()
    assert subjects() == [SUCCESS]
    assert subjects() == []


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
    assert sorted(subjects()) == sorted([SUCCESS, RECOVERED])


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


def test_a_candidate_that_cannot_be_decided_does_not_stop_the_others(run, subjects, monkeypatch):
    real = sheet_writes.writes_of
    odd = run("2023-05-30")
    run()

    def writes_of(instance, run_id):
        if run_id == odd:
            raise RuntimeError("odd run")
        return real(instance, run_id)

    monkeypatch.setattr(sheet_writes, "writes_of", writes_of)
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
