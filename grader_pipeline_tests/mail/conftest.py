"""What the mail's tests share: settings, SMTP servers, a Dagster instance and its sensor."""

import email
import email.policy
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dagster as dg
import pytest
import trustme
from dagster._core.errors import DagsterExecutionInterruptedError

from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import Cursor, evaluate
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.mail.mail_runs import (
    DAY_ASSETS,
    late_trouble,
    refreshed,
    trouble,
)
from grader_pipeline_tests.mail.mail_server import MailServer


@pytest.fixture
def postgres(database_url: str) -> Iterator[Postgres]:
    postgres = Postgres()
    yield postgres
    postgres.close()


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two colleagues, one owner, no SMTP server."""
    monkeypatch.setenv("MAIL_TO", "anna@school.example, boris@school.example")
    monkeypatch.setenv("MAIL_ON_FAILURE_TO", "owner@school.example")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def is_trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine trusts the authority that signs our servers' certificates."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


@pytest.fixture
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[MailServer], MailServer]]:
    """Start a server and point the settings to it."""
    running: list[MailServer] = []

    def start(server: MailServer) -> MailServer:
        running.append(server.start())
        monkeypatch.setenv("SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("SMTP_PORT", str(server.port))
        monkeypatch.setenv("SMTP_SECURITY", server.security)
        monkeypatch.setenv("SMTP_FROM", "grader@school.example")
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def mail() -> Mail:
    return Mail()


@pytest.fixture
def outbox_rows(postgres: Postgres) -> Callable[[], list[dict]]:
    def rows() -> list[dict]:
        with postgres.transaction() as db:
            return db.execute("SELECT * FROM mail_outbox ORDER BY created_at, key").fetchall()

    return rows


@pytest.fixture
def make_due(postgres: Postgres) -> Callable[[], None]:
    """End the pause before a mail is sent again, or the lease of a dead process."""

    def now() -> None:
        with postgres.transaction() as db:
            db.execute("UPDATE mail_outbox SET next_attempt_at = now()")

    return now


@pytest.fixture(scope="session")
def whole_instance() -> Iterator[dg.DagsterInstance]:
    # In memory where the machine has such a folder: SQLite waits for the disk after each event.
    memory = Path("/dev/shm")
    overrides = {"telemetry": {"enabled": False}}
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        dg.DagsterInstance.local_temp(folder, overrides) as instance,
    ):
        yield instance


@pytest.fixture
def instance(whole_instance: dg.DagsterInstance) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance without any run. To make its files takes a second, to empty them none."""
    yield whole_instance
    whole_instance.wipe()


@pytest.fixture
def subjects(
    instance: dg.DagsterInstance, postgres: Postgres, mail: Mail, settings: Path
) -> Callable[[], list[str]]:
    """Evaluate the sensor from the beginning of history: recipients and subjects of new mails."""
    known: set[str] = set()

    def look() -> list[str]:
        evaluate(instance, postgres, mail, Cursor())
        found = []
        for file in sorted((settings / "outbox").glob("*.eml"), key=lambda f: f.stat().st_mtime_ns):
            if file.name not in known:
                known.add(file.name)
                message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                subject = message["Subject"].replace("\N{NO-BREAK SPACE}", " ")
                found.append(f"{message['To']}: {subject}")
        return found

    return look


@pytest.fixture
def run(instance: dg.DagsterInstance) -> Iterator[Callable[..., str]]:
    """Run assets of ``mail_runs`` for a day. Gives the run's id."""

    def run(day: str | None = "2023-05-31", assets: Sequence = DAY_ASSETS, **tags: str) -> str:
        tags = {name.replace("__", "/"): value for name, value in tags.items()}
        try:
            return dg.materialize(
                list(assets), instance=instance, partition_key=day, tags=tags, raise_on_error=False
            ).run_id
        except DagsterExecutionInterruptedError:  # the run was canceled
            return instance.get_runs(limit=1)[0].run_id

    yield run
    for given in (trouble, late_trouble, refreshed):
        given.clear()


@pytest.fixture
def figures(postgres: Postgres) -> Callable[..., None]:
    """Set metrics of a day, by default new users: those of daily_metrics."""

    def set_figures(
        day: str, value: object = 158, metric: str = "new_users", label: str = ""
    ) -> None:
        with postgres.transaction() as db:
            db.execute(
                "INSERT INTO daily_metrics (report_date, place, metric, label, value)"
                " VALUES (%(day)s, 1, %(metric)s, %(label)s, %(value)s) ON CONFLICT"
                " (report_date, metric) DO UPDATE SET label = %(label)s, value = %(value)s",
                {"day": day, "metric": metric, "label": label or metric, "value": value},
            )

    return set_figures


@pytest.fixture
def text_of(outbox_rows: Callable[[], list[dict]]) -> Callable[..., str]:
    """The text, or HTML, of the newest mail of a kind, with plain spaces and line ends."""

    def text(kind: str, form: str = "plain") -> str:
        newest = [row for row in outbox_rows() if row["kind"] == kind][-1]
        message = email.message_from_bytes(bytes(newest["message"]), policy=email.policy.default)
        content = message.get_body((form,)).get_content()
        return content.replace("\N{NO-BREAK SPACE}", " ").replace("\r\n", "\n")

    return text


@pytest.fixture
def html_of(text_of: Callable[..., str]) -> Callable[[str], str]:
    return lambda kind: text_of(kind, "html")
