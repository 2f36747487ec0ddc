"""``mail`` shows the outbox, queues its mails again and tries one out, without psql."""

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.local.demo_world import FOLDER
from grader_pipeline.local.embedded_postgres import embedded_postgres
from grader_pipeline.mail import outbox
from grader_pipeline.mail.message import Message
from grader_pipeline.mailboxes import Mailbox
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline_tests.mail import hooks
from grader_pipeline_tests.mail.mail_days import LABELS, insert_metrics
from grader_pipeline_tests.mail.mail_server import MailServer

Run = Callable[..., subprocess.CompletedProcess[str]]
SECRET = "correct horse battery"


def fill(postgres: Postgres) -> None:
    """A mail that failed for one of two recipients, and one that is sent."""
    with postgres.transaction() as db:
        to = [Mailbox("", "anna@school.example"), Mailbox("", "boris@school.example")]
        for key in ("success:1", "success:2"):
            outbox.enqueue(db, Message(f"Тема {key}", "", "", ""), key=key, candidate="run", to=to)
        db.execute("UPDATE mail_recipient SET state = 'sent'")
        db.execute("UPDATE mail_recipient SET state = 'failed' WHERE (key, address) = (%s, %s)",
                   ["success:1", "anna@school.example"])  # fmt: skip
        db.execute("UPDATE mail_outbox SET state = 'sent', attempts = 1, sent_at = now()")
        db.execute("UPDATE mail_outbox SET state = 'partly_sent', attempts = 3, last_error = %s,"
                   " sent_at = NULL, give_up_at = now() WHERE key = 'success:1'",
                   [f"535 \x1b[2J no: {SECRET}"])  # fmt: skip
    postgres.close()


def states(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as db:
        return db.execute(
            "SELECT key, mail_outbox.state, address, mail_recipient.state,"
            " give_up_at > now() + interval '23 hours'"
            " FROM mail_outbox JOIN mail_recipient USING (key) ORDER BY key, address"
        ).fetchall()


QUEUED = [
    ("success:1", "queued", "anna@school.example", "queued", True),
    ("success:1", "queued", "boris@school.example", "sent", True),
    ("success:2", "sent", "anna@school.example", "sent", True),
    ("success:2", "sent", "boris@school.example", "sent", True),
]


def test_the_list_shows_each_mail_whom_it_has_not_reached_and_its_last_error_and_no_secret(
    database_url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The outbox has no mail." in run("mail", "list").stdout
    fill(Postgres())
    monkeypatch.setenv("SMTP_PASSWORD", SECRET)
    monkeypatch.setenv("GRADER_TIMEZONE", "Asia/Omsk")
    with psycopg.connect(database_url) as db:
        now = "SELECT to_char(created_at AT TIME ZONE 'Asia/Omsk', 'YYYY-MM-DD HH24:MI')"
        ((time,),) = db.execute(f"{now} FROM mail_outbox LIMIT 1").fetchall()
    done = run("mail", "list")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "success:1  partly_sent, 3 attempts, reached 1 of 2",
        "  Тема success:1",
        f"  decided {time}, sent - (Asia/Omsk)",
        "  not reached: anna@school.example (failed)",
        "  last error: 535  [2J no: ***",
        "success:2  sent, 1 attempt, reached 2 of 2",
        "  Тема success:2",
        f"  decided {time}, sent {time} (Asia/Omsk)",
    ]


@pytest.mark.parametrize("keys", [[], ["success:1"]])
def test_what_is_sent_again_goes_only_to_those_who_did_not_get_it(
    database_url: str, run: Run, keys: list[str]
) -> None:
    fill(Postgres())
    done = run("mail", "resend", *keys)
    assert done.returncode == 0, done.stderr
    assert "queued: success:1\nMails to send again: 1." in done.stdout
    assert states(database_url) == QUEUED


def test_a_key_that_is_no_unsent_mails_is_refused_and_nothing_is_changed(
    database_url: str, run: Run
) -> None:
    fill(Postgres())
    before = states(database_url)
    done = run("mail", "resend", "success:1", "success:2", "odd")
    assert done.returncode == 1
    why = "success:2 is sent, so nobody waits for it; there is no mail odd. Nothing was changed."
    assert why in done.stderr
    assert states(database_url) == before


def test_without_database_url_the_mails_are_those_of_the_embedded_database(
    home: Path, run: Run
) -> None:
    with embedded_postgres(home / FOLDER) as url:
        fill(Postgres.at(url))
    assert "success:1  partly_sent, 3 attempts" in run("mail", "list").stdout
    assert run("mail", "resend").returncode == 0
    with embedded_postgres(home / FOLDER) as url:
        assert states(url) == QUEUED


def test_while_another_process_runs_the_embedded_database_the_command_uses_it(
    home: Path, run: Run, started: Callable[..., subprocess.Popen[str]]
) -> None:
    code = (
        "import sys, time; from pathlib import Path;"
        "from grader_pipeline.local.embedded_postgres import embedded_postgres\n"
        "with embedded_postgres(Path(sys.argv[1])) as url:\n"
        "    print(url, flush=True); time.sleep(60)"
    )
    owner = started(sys.executable, "-c", code, str(home / FOLDER))
    assert owner.stdout is not None
    url = owner.stdout.readline().strip()
    fill(Postgres.at(url))
    assert "success:1  partly_sent, 3 attempts" in run("mail", "list").stdout
    assert run("mail", "resend").returncode == 0
    assert states(url) == QUEUED


def test_while_another_process_starts_the_embedded_database_the_command_says_what_to_do(
    home: Path, run: Run, started: Callable[..., subprocess.Popen[str]]
) -> None:
    code = (
        "import sys, time; from pathlib import Path;"
        "from grader_pipeline.roles.home_lock import sole_owner\n"
        "with sole_owner(Path(sys.argv[1]) / 'postgres'):\n"
        "    print('owned', flush=True); time.sleep(60)"
    )
    owner = started(sys.executable, "-c", code, str(home / FOLDER))
    assert owner.stdout is not None
    assert owner.stdout.readline() == "owned\n"
    done = run("mail", "list")
    assert done.returncode == 1
    assert f"is in use by process {owner.pid}. Stop that first" in done.stderr


@pytest.fixture
def reported(database_url: str, real_api: None) -> dt.date:
    """The day before yesterday has a report, and yesterday has none."""
    day = dt.datetime.now(Settings().timezone).date() - dt.timedelta(days=2)
    postgres = Postgres()
    with postgres.transaction() as db:
        insert_metrics(db, day, {name: (label, 7) for name, label in LABELS.items()})
    postgres.close()
    return day


def test_the_trial_sends_the_newest_mail_to_one_address_and_leaves_the_outbox_alone(
    reported: dt.date, run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MailServer(answers={"boris@school.example": "550 no such user"}).start()
    for name, value in {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(server.port),
        "SMTP_SECURITY": "none",
        "SMTP_FROM": "Выгрузка <grader@school.example>",
        "MAIL_TO": "colleagues@school.example",
        "MAIL_COURSES": "vera@school.example = course-v1:A+B+2026",
    }.items():
        monkeypatch.setenv(name, value)
    try:
        done = run("mail", "test", "Анна <anna@school.example>")
        refused = run("mail", "test", "boris@school.example")
        of_courses = run("mail", "test", "Вера <vera@school.example>")
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    assert f"отчёт за {reported:%d.%m.%Y}" in done.stdout.replace("\N{NO-BREAK SPACE}", " ")
    received, course_mail = server.received
    assert received.recipients == ["anna@school.example"]
    assert received.message["To"].addresses[0].display_name == "Анна"
    assert of_courses.returncode == 0
    assert course_mail.recipients == ["vera@school.example"]
    assert LABELS["submits"] not in course_mail.message.get_body(("plain",)).get_content()
    assert LABELS["submits"] in received.message.get_body(("plain",)).get_content()
    assert refused.returncode == 1
    assert "did not take it for boris@school.example: 550 no such user." in refused.stderr
    assert states(database_url) == []


def test_the_trial_tells_one_channel_by_its_name(
    reported: dt.date, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hooks.running() as told:
        addresses = [told.address("one"), told.address("two")]
        monkeypatch.setenv("GRADER_CHANNELS", ",".join(addresses))
        name = Settings().channels[1].address
        done = run("mail", "test", name)
        assert done.returncode == 0, done.stderr
        assert told.places() == ["two"]
        told.answers["two"] = 403
        refused = run("mail", "test", name)
    assert refused.returncode == 1
    assert f"did not take it for {name}: it answers 403." in refused.stderr
    assert hooks.SECRET not in done.stdout + refused.stderr


def test_the_trial_of_no_address_and_of_no_report_say_what_to_do(
    database_url: str, real_api: None, run: Run
) -> None:
    for address in ("nobody", "a@b.example, c@d.example"):
        done = run("mail", "test", address)
        assert done.returncode == 1
        assert f"{address!r} is not one address" in done.stderr
    assert "No day has a report yet" in run("mail", "test", "a@b.example").stderr
