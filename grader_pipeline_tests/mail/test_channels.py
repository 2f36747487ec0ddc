"""Channels get the short form of what colleagues are mailed, at least once, and stay secret.

Over real HTTP: Apprise tells webhooks of this machine.
"""

import datetime as dt
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from grader_pipeline import logs
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.mail import channels, outbox
from grader_pipeline.mail.addressing import colleagues, owners
from grader_pipeline.mail.message import Figure, Link, Message, Part, Table
from grader_pipeline.mail.outbox import Delivery
from grader_pipeline.mail.resource import Mail
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline_tests.mail import hooks
from grader_pipeline_tests.mail.hooks import SECRET, Hooks
from grader_pipeline_tests.mail.mail_server import MailServer

DAY = dt.date(2023, 5, 31)
MESSAGE = Message(
    subject="Выгрузка grades завершена — отчёт за 31.05.2023",
    preheader="",
    greeting="Коллеги, добрый день!",
    sentence="Данные студентов за 31.05.2023 обновлены в базе.",
    link=Link("Отчёт", "https://docs.google.com/spreadsheets/d/x"),
    figures=(Figure("Попыток", "2 513", "▲ 313 (14,2 %) к 24.05", "up"), Figure("Юзеров", "243")),
    warnings=("Задание 7 никто не решил.", "Отклонено 5 % строк."),
    parts=(Part("Остальное", (), Table((), (("Запусков", "9"),))),),
    notes=("Показатели ещё могут измениться.",),
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    """Two webhooks, which are channels."""
    with hooks.running() as found:
        written = "\n".join(found.address(place) for place in ("one", "two"))
        monkeypatch.setenv("GRADER_CHANNELS", written)
        yield found


@pytest.fixture
def names(told: Hooks) -> dict[str, str]:
    """The channels' names, by their places."""
    found = Settings().channels
    return {one.secret.get_secret_value().rpartition("/")[2]: one.address for one in found}


@pytest.fixture
def enqueue(postgres: Postgres) -> Callable[..., bool]:
    def enqueue(message: Message = MESSAGE, key: str = "success:1") -> bool:
        with postgres.transaction() as db:
            return outbox.enqueue(
                db, message, key=key, candidate="run", to=colleagues(), report_date=DAY
            )

    return enqueue


@pytest.fixture
def deliver(postgres: Postgres, mail: Mail) -> Callable[[], Delivery]:
    return lambda: outbox.deliver(postgres, mail.send_mail, until=time.monotonic() + 10)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What any library writes to the log of a process, down to DEBUG.

    Not by caplog, which also reads loggers that give their lines to nobody.
    """
    found: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    root, lines = logging.getLogger(), Lines()
    monkeypatch.setattr(root, "level", logging.DEBUG)
    logs.configure()
    root.addHandler(lines)
    yield found
    root.removeHandler(lines)


def states(postgres: Postgres) -> dict[str, str]:
    with postgres.transaction() as db:
        rows = db.execute("SELECT address, state FROM mail_recipient").fetchall()
    return {row["address"]: row["state"] for row in rows}


def test_the_short_form_says_what_happened_figures_warnings_and_where_the_sheet_is() -> None:
    assert channels.short(MESSAGE).splitlines() == [
        "Данные студентов за 31.05.2023 обновлены в базе.",
        "Попыток: 2 513 (▲ 313 (14,2 %) к 24.05)",
        "Юзеров: 243",
        "",
        "На что обратить внимание:",
        "• Задание 7 никто не решил.",
        "• Отклонено 5 % строк.",
        "",
        "Показатели ещё могут измениться.",
        "Открыть отчёт: https://docs.google.com/spreadsheets/d/x",
    ]


def test_the_short_form_of_changes_lists_them_and_fits_every_channel() -> None:
    rows = tuple((f"Показатель {n}", str(n), str(n + 1)) for n in range(200))
    changed = Message(
        "Тема", "", "", "Показатели изменились.", Link("Файл"), warnings=("Внимание",) * 9,
        parts=(Part("31.05.2023", ("и ещё",), Table(("", "было", "стало"), rows)),),
    )  # fmt: skip
    text = channels.short(changed)
    assert "Показатель 3: было 3, стало 4" in text
    assert "и ещё 4" in text
    assert "Файл" not in text, "a file of another machine is no link"
    assert text.endswith("…")
    assert len(text) < 1600


def test_colleagues_are_mailed_and_told_once_and_owners_are_only_mailed(
    enqueue: Callable[..., bool],
    deliver: Callable[[], Delivery],
    told: Hooks,
    postgres: Postgres,
    serve: Callable[[MailServer], MailServer],
) -> None:
    server = serve(MailServer())
    assert [enqueue(), enqueue()] == [True, False]
    assert deliver().sent == 1
    assert deliver().sent == 0
    assert told.places() == ["one", "two"]
    content = told.received[0][1]
    assert content["title"] == MESSAGE.subject
    assert content["message"] == channels.short(MESSAGE)
    assert [sorted(mail.recipients) for mail in server.received] == [
        ["anna@school.example", "boris@school.example"]
    ]
    assert set(states(postgres).values()) == {"sent"}
    assert {mailbox.address for mailbox in owners()} == {"owner@school.example"}


def test_what_one_refuses_is_sent_again_to_it_alone_and_delays_nobody(
    enqueue: Callable[..., bool],
    deliver: Callable[[], Delivery],
    told: Hooks,
    names: dict[str, str],
    postgres: Postgres,
    serve: Callable[[MailServer], MailServer],
    outbox_rows: Callable[[], list[dict]],
    make_due: Callable[[], None],
) -> None:
    server = serve(MailServer(answers={"anna@school.example": "450 later"}))
    told.answers["one"] = 401
    enqueue()
    assert deliver().postponed == 1
    expected = {"anna@school.example", names["one"]}
    assert {name for name, state in states(postgres).items() if state == "queued"} == expected
    (row,) = outbox_rows()
    assert f"{names['one']}: it answers 401" in row["last_error"]
    pause = row["next_attempt_at"] - dt.datetime.now(dt.UTC)
    assert pause < dt.timedelta(minutes=1), "a wrong address must not delay a mail"
    server.answers.clear()
    make_due()
    assert deliver().postponed == 1
    assert told.places() == ["one", "one", "two"]
    (row,) = outbox_rows()
    assert row["next_attempt_at"] - dt.datetime.now(dt.UTC) > dt.timedelta(minutes=59)
    told.answers.clear()
    make_due()
    assert deliver().sent == 1
    assert told.places() == ["one", "one", "one", "two"]
    assert [mail.recipients for mail in server.received] == [
        ["boris@school.example"],
        ["anna@school.example"],
    ]


def test_channels_are_told_while_the_mail_server_is_down(
    enqueue: Callable[..., bool],
    deliver: Callable[[], Delivery],
    told: Hooks,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    make_due: Callable[[], None],
) -> None:
    for name, value in (("HOST", "127.0.0.1"), ("PORT", "1"), ("SECURITY", "none")):
        monkeypatch.setenv(f"SMTP_{name}", value)
    monkeypatch.setenv("SMTP_FROM", "grader@school.example")
    enqueue()
    assert deliver().postponed == 1
    make_due()
    assert deliver().postponed == 1
    assert told.places() == ["one", "two"]
    assert sorted(states(postgres).values()) == ["queued", "queued", "sent", "sent"]


@pytest.mark.parametrize("place", ["gone", "unknown", "removed", "slow"])
def test_a_channel_that_cannot_be_told_waits_is_named_and_its_address_is_shown_nowhere(
    enqueue: Callable[..., bool],
    deliver: Callable[[], Delivery],
    told: Hooks,
    postgres: Postgres,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    written: list[str],
    capfd: pytest.CaptureFixture[str],
    outbox_rows: Callable[[], list[dict]],
) -> None:
    address = {
        "gone": f"json://127.0.0.1:1/{SECRET}",
        "unknown": f"nosuchservice://{SECRET}",
        "removed": told.address("removed"),
        "slow": told.address("slow"),
    }[place]
    monkeypatch.setenv("GRADER_CHANNELS", address)
    monkeypatch.setattr(channels, "ANSWER_SECONDS", 0.5 if place == "slow" else 15)
    told.before_answering = lambda: time.sleep(1)
    (channel,) = Settings().channels
    enqueue()
    if place == "removed":
        monkeypatch.delenv("GRADER_CHANNELS")
    done = deliver()
    assert done.postponed == 1
    why = {
        "gone": "it could not be reached, or did not take it",
        "unknown": "Apprise cannot read the address",
        "removed": "GRADER_CHANNELS has this channel no more",
        "slow": "it gave no answer within 0.5 s",
    }[place]
    assert f"{channel.address}: {why}" in str(done.error)
    assert states(postgres)[channel.address] == "queued"
    assert any(channel.address in line for line in written)
    assert SECRET not in "".join([*written, *capfd.readouterr(), str(done), str(outbox_rows())])


def test_a_channel_that_was_told_by_a_process_that_died_is_told_again(
    enqueue: Callable[..., bool],
    deliver: Callable[[], Delivery],
    told: Hooks,
    make_due: Callable[[], None],
    database_url: str,
) -> None:
    """The documented case: the channel has it, and the outbox has not noted that."""
    code = (
        "import time\nfrom grader_pipeline.mail import outbox\n"
        "from grader_pipeline.mail.resource import Mail\n"
        "from grader_pipeline.resources.postgres import Postgres\n"
        "outbox.deliver(Postgres(), Mail().send_mail, until=time.monotonic() + 10)"
    )
    enqueue()
    with psycopg.connect(database_url) as blocker:
        told.before_answering = lambda: blocker.execute("SELECT FROM mail_outbox FOR UPDATE")
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code])
        with psycopg.connect(database_url, autocommit=True) as observer:
            while not observer.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert process.poll() is None
                time.sleep(0.05)
        process.kill()
        process.wait()
    told.before_answering = lambda: None
    make_due()
    assert deliver().sent == 1
    assert told.places() == ["one", "one", "two", "two"]


def test_without_mailboxes_channels_are_told_and_the_sender_is_not_mailed(
    enqueue: Callable[..., bool],
    told: Hooks,
    names: dict[str, str],
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAIL_TO", "")
    enqueue()
    assert set(states(postgres)) == set(names.values())


def test_the_probe_names_the_channels_and_sends_nothing(
    told: Hooks, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(name in channels.probe() for name in names.values())
    monkeypatch.setenv("GRADER_CHANNELS", f"nosuchservice://{SECRET}")
    with pytest.raises(PermanentFailure, match="Apprise cannot read nosuchservice-") as refused:
        channels.probe()
    assert SECRET not in str(refused.value)
    assert told.received == []


@pytest.mark.processes
def test_apprise_changes_no_header_of_our_mails() -> None:
    """Its plugin for mail sets how the whole process encodes headers."""
    code = (
        "from grader_pipeline.mailboxes import encoded_words\n"
        "before = encoded_words('Выгрузка grades завершена — отчёт', 'Subject')\n"
        "import apprise\n"
        "apprise.Apprise().add('mailto://user:pass@example.org')\n"
        "assert encoded_words('Выгрузка grades завершена — отчёт', 'Subject') == before\n"
        "from email.header import Header\n"
        "was_changed = Header('Выгрузка grades завершена — отчёт', 'utf-8').encode()\n"
        "assert '=?utf-8?q?' in was_changed, 'this test has lost its reason'"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False)
    assert done.returncode == 0


def test_without_the_extra_the_error_names_it(told: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (name, *_) = [channel.address for channel in Settings().channels]
    assert "grader-pipeline[channels]" in channels.send_short("x", "y", [name])[name].text
    with pytest.raises(PermanentFailure, match=r"grader-pipeline\[channels\]"):
        channels.probe()
