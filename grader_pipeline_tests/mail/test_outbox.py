"""The outbox with real PostgreSQL and SMTP: no mail is lost, only a crash can send one twice."""

import datetime as dt
import os
import signal
import subprocess
import sys
import textwrap
import time

import psycopg
import pytest

from grader_pipeline.failures import TransientFailure
from grader_pipeline.mail import outbox
from grader_pipeline.mail.message import Message
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.settings import Settings
from grader_pipeline_tests.mail.mail_server import PASSWORD, USER, MailServer

ANNA, BORIS = "anna@school.example", "boris@school.example"
LETTER = Message("Выгрузка grades завершена", "", "", "Текст")


@pytest.fixture
def enqueue(postgres):
    def enqueue(key: str = "success:1", to=(ANNA, BORIS)) -> bool:
        with postgres.transaction() as db:
            return outbox.enqueue(
                db,
                LETTER,
                key=key,
                candidate="run",
                to=[Mailbox("", address) for address in to],
                report_date=dt.date(2023, 5, 31),
            )

    return enqueue


@pytest.fixture
def deliver(postgres, mail):
    return lambda: outbox.deliver(postgres, mail.send_mail, until=time.monotonic() + 10)


def test_a_key_is_one_mail_however_often_it_is_enqueued(serve, enqueue, deliver, outbox_rows):
    server = serve(MailServer())
    assert enqueue()
    assert not enqueue()
    assert deliver().sent == 1
    assert not enqueue()
    assert deliver().sent == 0
    (received,) = server.received
    assert received.message["Subject"] == LETTER.subject
    (row,) = outbox_rows()
    assert (row["kind"], row["state"], row["attempts"]) == ("success", "sent", 1)
    assert row["last_error"] is None
    assert row["sent_at"] is not None
    assert bytes(row["message"]) == received.content


def test_a_round_ends_as_soon_as_no_mail_is_due(serve, enqueue, deliver):
    serve(MailServer())
    enqueue()
    begun = time.monotonic()
    assert deliver().sent == 1
    # A round that waited for its time to end would take ten seconds.
    assert time.monotonic() - begun < 8


def test_the_log_says_once_that_a_mail_is_in_the_outbox(enqueue, caplog):
    caplog.set_level("INFO")
    assert [enqueue(), enqueue()] == [True, False]
    assert caplog.text.count("is in the outbox") == 1


def test_no_mail_is_begun_after_the_end_of_the_round(postgres, enqueue):
    def send(_message, _recipients, key):
        sent.append(key)
        time.sleep(0.6)
        return {}

    sent: list[str] = []
    enqueue("success:1")
    enqueue("success:2")
    assert outbox.deliver(postgres, send, until=time.monotonic() - 1).sent == 0
    assert sent == []
    assert outbox.deliver(postgres, send, until=time.monotonic() + 0.5).sent == 1
    assert len(sent) == 1


def test_a_server_that_is_down_ends_the_round(monkeypatch, enqueue, deliver, outbox_rows):
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", str(MailServer().port))
    monkeypatch.setenv("SMTP_SECURITY", "none")
    monkeypatch.setenv("SMTP_FROM", "grader@school.example")
    enqueue("success:1")
    enqueue("success:2")
    assert deliver().postponed == 1
    assert sorted(row["attempts"] for row in outbox_rows()) == [0, 1]


def test_pauses_grow_to_an_hour(postgres, enqueue, outbox_rows):
    def send(*_):
        raise TransientFailure("busy")

    enqueue()
    with postgres.transaction() as db:
        db.execute("UPDATE mail_outbox SET attempts = 12")
    asked = dt.datetime.now(dt.UTC)
    outbox.deliver(postgres, send, until=time.monotonic() + 10)
    pause = (outbox_rows()[0]["next_attempt_at"] - asked).total_seconds()
    assert 3600 <= pause < 3660


def test_a_mail_to_nobody_goes_to_its_sender(postgres, enqueue, monkeypatch):
    monkeypatch.setenv("SMTP_FROM", "grader@school.example")
    enqueue(to=())
    with postgres.transaction() as db:
        noted = db.execute("SELECT address FROM mail_recipient").fetchall()
    assert noted == [{"address": "grader@school.example"}]


def test_a_mail_is_not_enqueued_unless_its_decision_is_committed(postgres, outbox_rows):
    with pytest.raises(ZeroDivisionError), postgres.transaction() as db:
        outbox.enqueue(db, LETTER, key="success:1", candidate="run", to=[Mailbox("", ANNA)])
        1 / 0  # noqa: B018
    assert outbox_rows() == []


def test_everybody_named_in_the_settings_gets_the_mail_and_readers_see_the_names(
    serve, deliver, postgres, outbox_rows, monkeypatch
):
    """With semicolons and line breaks one person got it, and the outbox said that all had."""
    server = serve(MailServer())
    monkeypatch.setenv("MAIL_TO", f'"Иванова, Анна" <{ANNA}>;{BORIS}\nКурс <kurs@школа.рф>')
    monkeypatch.setenv("SMTP_FROM", "Выгрузка <grader@school.example>")
    to = Settings().mail_to
    with postgres.transaction() as db:
        outbox.enqueue(db, LETTER, key="success:1", candidate="run", to=(*to, *to[:1]))
    assert deliver().sent == 1
    (received,) = server.received
    everybody = [ANNA, BORIS, "kurs@xn--80atdl2c.xn--p1ai"]
    assert received.recipients == everybody
    shown = [(one.display_name, one.addr_spec) for one in received.message["To"].addresses]
    assert shown == list(zip(["Иванова, Анна", "", "Курс"], everybody, strict=True))
    assert received.message["From"].addresses[0].display_name == "Выгрузка"
    with postgres.transaction() as db:
        noted = db.execute("SELECT address, state FROM mail_recipient ORDER BY address").fetchall()
    assert noted == [{"address": address, "state": "sent"} for address in everybody]


def test_replies_and_wishes_to_be_left_out_reach_the_owners_and_no_program_answers(
    serve, enqueue, deliver, monkeypatch
):
    server = serve(MailServer())
    owner = f"owner@{'long-name-of-a-school.' * 4}example"
    monkeypatch.setenv("MAIL_ON_FAILURE_TO", f"Олег <{owner}>, second@school.example")
    enqueue("success:1", to=(ANNA,))
    monkeypatch.setenv("MAIL_ON_FAILURE_TO", "")
    enqueue("success:2", to=(ANNA,))
    assert deliver().sent == 2
    named, unnamed = (received.message for received in server.received)
    for received, asked in zip(server.received, (owner, "grader@school.example"), strict=True):
        # As it is: no mail client decodes this header.
        wish = f"\r\nList-Unsubscribe: <mailto:{asked}?subject=unsubscribe>\r\n"
        assert wish.encode() in received.content
    replies = [(one.display_name, one.addr_spec) for one in named["Reply-To"].addresses]
    assert replies == [("Олег", owner), ("", "second@school.example")]
    assert unnamed["Reply-To"] is None, "the sender reads them"
    for message in (named, unnamed):
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
        assert message["Content-Language"] == "ru"


def test_a_server_down_for_three_rounds_delays_the_mail_and_gets_it_once(
    monkeypatch, serve, enqueue, deliver, outbox_rows, make_due
):
    server = MailServer()
    monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("SMTP_PORT", str(server.port))
    monkeypatch.setenv("SMTP_SECURITY", "none")
    monkeypatch.setenv("SMTP_FROM", "grader@school.example")
    enqueue()
    pauses = []
    for _ in range(3):
        asked = dt.datetime.now(dt.UTC)
        assert deliver().postponed == 1
        (row,) = outbox_rows()
        assert row["state"] == "queued"
        assert "Connection refused" in row["last_error"]
        pauses.append(round((row["next_attempt_at"] - asked).total_seconds() / 15))
        assert deliver().postponed == 0
        make_due()
    assert pauses == [1, 2, 4]
    serve(server)
    assert deliver().sent == 1
    make_due()
    assert deliver().sent == 0
    assert len(server.received) == 1


def test_only_the_refused_recipient_is_tried_again(serve, enqueue, deliver, outbox_rows, make_due):
    server = serve(MailServer(answers={ANNA: "450 greylisted"}))
    enqueue()
    assert deliver().postponed == 1
    assert outbox_rows()[0]["last_error"] == f"{ANNA}: 450 greylisted"
    server.answers.clear()
    make_due()
    assert deliver().sent == 1
    assert [received.recipients for received in server.received] == [[BORIS], [ANNA]]


def test_a_recipient_refused_finally_is_shown_and_the_other_gets_one_mail(
    serve, enqueue, deliver, outbox_rows, make_due
):
    server = serve(MailServer(answers={ANNA: "550 no such user"}))
    enqueue()
    assert deliver().undeliverable == 1
    make_due()
    deliver()
    assert [received.recipients for received in server.received] == [[BORIS]]
    (row,) = outbox_rows()
    assert (row["state"], row["last_error"]) == ("partly_sent", f"{ANNA}: 550 no such user")


def test_a_wrong_password_is_shown_and_tried_each_hour_of_the_day(
    serve, enqueue, deliver, outbox_rows, make_due, monkeypatch, certificate, is_trusted
):
    server = serve(MailServer("ssl", certificate, wants_login=True))
    monkeypatch.setenv("SMTP_USER", "robot@school.example")
    monkeypatch.setenv("SMTP_PASSWORD", "wrong-password")
    enqueue()
    done = deliver()
    assert (done.postponed, done.undeliverable) == (1, 0)
    assert "535" in done.error
    (row,) = outbox_rows()
    assert row["state"] == "queued"
    pause = row["next_attempt_at"] - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=59) < pause <= dt.timedelta(hours=1)
    assert row["sent_at"] is None
    assert "535" in row["last_error"]
    assert "wrong-password" not in row["last_error"]
    monkeypatch.setenv("SMTP_PASSWORD", "correct horse battery")
    make_due()
    assert deliver().sent == 1
    assert len(server.received) == 1


@pytest.mark.parametrize("code", [454, 530, 534, 535, 538])
@pytest.mark.parametrize("stage", ["AUTH", "RCPT", "DATA"])
def test_trouble_with_the_login_is_final_for_nobody_wherever_the_server_answers_it(
    serve,
    enqueue,
    deliver,
    outbox_rows,
    make_due,
    monkeypatch,
    certificate,
    is_trusted,
    code,
    stage,
):
    answers = {ANNA if stage == "RCPT" else stage: f"{code} 5.7.0 authenticate"}
    server = serve(MailServer("ssl", certificate, wants_login=True, answers=answers))
    monkeypatch.setenv("SMTP_USER", USER)
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    enqueue()
    assert deliver().postponed == 1
    (row,) = outbox_rows()
    assert str(code) in row["last_error"]
    assert row["next_attempt_at"] - dt.datetime.now(dt.UTC) > dt.timedelta(minutes=59)
    server.answers.clear()
    make_due()
    assert deliver().sent == 1
    assert sorted(one for mail in server.received for one in mail.recipients) == [ANNA, BORIS]


@pytest.mark.parametrize("code", [550, 551, 552, 553, 554])
def test_55x_is_final_for_its_recipient_only(serve, enqueue, deliver, postgres, code):
    serve(MailServer(answers={ANNA: f"{code} no"}))
    enqueue()
    assert deliver().undeliverable == 1
    with postgres.transaction() as db:
        noted = db.execute("SELECT state FROM mail_recipient ORDER BY address").fetchall()
    assert [row["state"] for row in noted] == ["failed", "sent"]


def test_a_certificate_that_nobody_trusts_loses_no_mail(serve, enqueue, deliver, certificate):
    serve(MailServer("ssl", certificate))
    enqueue()
    done = deliver()
    assert (done.postponed, done.undeliverable) == (1, 0)


def test_a_mail_is_not_sent_again_after_a_day(
    monkeypatch, serve, enqueue, deliver, postgres, outbox_rows
):
    serve(MailServer(answers={"MAIL": "451 later"}))
    enqueue()
    with postgres.transaction() as db:
        db.execute("UPDATE mail_outbox SET give_up_at = now()")
    assert deliver().undeliverable == 1
    assert outbox_rows()[0]["state"] == "failed"


def test_a_mail_that_the_server_refuses_does_not_stop_the_next(serve, enqueue, deliver):
    server = serve(MailServer(answers={ANNA: "450 greylisted"}))
    enqueue("success:1", to=[ANNA])
    enqueue("success:2", to=[BORIS])
    done = deliver()
    assert (done.sent, done.postponed) == (1, 1)
    assert len(server.received) == 1


def test_without_a_server_each_mail_is_a_file_of_the_same_bytes(
    enqueue, deliver, outbox_rows, settings
):
    enqueue()
    assert deliver().sent == 1
    (file,) = (settings / "outbox").glob("*.eml")
    assert file.read_bytes() == bytes(outbox_rows()[0]["message"])


DELIVER = textwrap.dedent("""
    import time
    from grader_pipeline.mail import outbox
    from grader_pipeline.mail.resource import Mail
    from grader_pipeline.resources.postgres import Postgres
    print(outbox.deliver(Postgres(), Mail().send_mail, until=time.monotonic() + 10))
""")


def start_delivering() -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", DELIVER], env=os.environ)


def test_a_process_killed_between_sending_and_noting_sends_one_copy_with_the_same_id(
    serve, enqueue, deliver, outbox_rows, make_due, database_url
):
    """The documented case: the server has the mail, and the outbox has not noted that."""
    server = serve(MailServer())
    enqueue()
    with psycopg.connect(database_url) as blocker:
        # After the server confirms, the process waits for this lock until it is killed.
        server.before_confirming = lambda: blocker.execute("SELECT FROM mail_outbox FOR UPDATE")
        process = start_delivering()
        with psycopg.connect(database_url, autocommit=True) as observer:
            while not observer.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert process.poll() is None
                time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    server.before_confirming = lambda: None
    (row,) = outbox_rows()
    assert (row["state"], row["attempts"]) == ("sending", 1)
    assert deliver().sent == 0, "the lease of the dead process has not ended"
    make_due()
    assert deliver().sent == 1
    first, copy = server.received
    assert first.message["Message-ID"] == copy.message["Message-ID"]
    make_due()
    assert deliver().sent == 0


def test_a_process_killed_before_the_server_had_the_mail_leaves_exactly_one(
    serve, enqueue, deliver, make_due
):
    server = serve(MailServer())
    started: list[subprocess.Popen] = []

    class KillsItsClient(dict):
        def get(self, stage, default=None):
            if stage == ANNA and not started[0].returncode:
                started[0].send_signal(signal.SIGKILL)
                started[0].wait()
            return default

    server.answers = KillsItsClient()
    enqueue()
    started.append(start_delivering())
    assert started[0].wait(20) == -signal.SIGKILL
    make_due()
    assert deliver().sent == 1
    assert len(server.received) == 1
