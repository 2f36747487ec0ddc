"""What a session is opened with, and what is said of a server that cannot be used."""

import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from psycopg import sql

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.conftest import debian_server
from grader_pipeline_tests.pooler import pooler

RUSSIAN = {
    "28P01": 'пользователь "grader" не прошёл проверку подлинности (по паролю)',
    "3D000": 'база данных "grader" не существует',
    "28000": "нет записи в pg_hba.conf для узла",
    "53300": "извините, уже слишком много клиентов",
    "57P03": "система баз данных запускается",
}


@contextmanager
def refusing(code: str, text: str, encoding: str) -> Iterator[str]:
    """A server that refuses each connection in PostgreSQL's protocol; the URL of it."""
    asked: list[bytes] = []

    def refuse(client: socket.socket) -> None:
        with client:
            while True:
                (length,) = struct.unpack("!i", client.recv(4))
                (version,) = struct.unpack("!i", client.recv(4))
                asked.append(client.recv(length - 8) if length > 8 else b"")
                if version == 196608:
                    break
                client.sendall(b"N")  # no TLS, no GSS
            fields = f"SВАЖНО\0VFATAL\0C{code}\0M{text}\0\0".encode(encoding)
            client.sendall(b"E" + struct.pack("!i", 4 + len(fields)) + fields)

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            refuse(client)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        port = server.getsockname()[1]
        yield f"postgresql://grader:s3cret@127.0.0.1:{port}/grader?sslmode=disable"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251"])
@pytest.mark.parametrize(
    ("code", "failure", "text"),
    [
        ("28P01", PermanentFailure, "password is wrong"),
        ("28000", PermanentFailure, "does not let this user or this host in"),
        ("3D000", PermanentFailure, "no database of this name"),
        ("53300", TransientFailure, "no connection left"),
        ("57P03", TransientFailure, "starting or stopping"),
    ],
)
def test_a_refusal_is_understood_whatever_language_and_encoding_the_server_has(
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    failure: type[Exception],
    text: str,
    encoding: str,
) -> None:
    with refusing(code, RUSSIAN[code], encoding) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        postgres = Postgres(connect_seconds=0.5)
        with pytest.raises(failure, match=text) as refused, postgres.transaction():
            pass
    assert code in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("driver", ["+psycopg2", "+psycopg", ""])
def test_a_url_with_a_driver_of_sqlalchemy_is_understood(database_url: str, driver: str) -> None:
    url = database_url.replace("postgresql://", f"postgresql{driver}://")
    with closing(Postgres.at(url)) as postgres, postgres.transaction() as db:
        assert db.execute("SELECT 1 AS one").fetchone() == {"one": 1}


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1251"])
def test_a_database_that_cannot_keep_every_text_is_refused_before_anything_is_stored(
    postgres_18: str, encoding: str
) -> None:
    name = f"test_{encoding.lower()}"
    url = postgres_18.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres_18, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        try:
            with (
                closing(Postgres.at(url)) as postgres,
                pytest.raises(PermanentFailure, match=f"{encoding}.*ENCODING 'UTF8'"),
                postgres.transaction(),
            ):
                pass
            with psycopg.connect(url) as db:
                tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
                assert db.execute(tables).fetchone() == (0,)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_texts_are_kept_whole_whatever_encoding_the_roles_sessions_have(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as db:
        of_role = sql.SQL("ALTER ROLE {} IN DATABASE {} SET client_encoding = 'LATIN1'")
        name = sql.Identifier(db.info.user), sql.Identifier(db.info.dbname)
        db.execute(of_role.format(*name))
    with closing(Postgres.at(database_url)) as postgres, postgres.transaction() as db:
        assert db.execute("SELECT 'Задание ✓' AS text").fetchone() == {"text": "Задание ✓"}


@pytest.mark.processes
@pytest.mark.parametrize("database_url", ["debian_postgres"], indirect=True)
def test_a_pooler_in_session_mode_changes_nothing(database_url: str) -> None:
    with (
        pooler(database_url, "session") as url,
        closing(Postgres.at(url)) as postgres,
        closing(Postgres.at(url)) as another,
        postgres.alone("work") as is_alone,
        another.alone("work") as is_other_alone,
    ):
        assert is_alone
        assert not is_other_alone
        with postgres.transaction() as db:
            assert db.execute("SHOW TimeZone").fetchone() == {"TimeZone": "UTC"}


@pytest.mark.processes
@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("database_url", ["debian_postgres"], indirect=True)
def test_a_pooler_that_shares_sessions_is_refused_before_anything_is_stored(
    database_url: str, mode: str
) -> None:
    with (
        pooler(database_url, mode) as url,
        closing(Postgres.at(url)) as postgres,
        pytest.raises(PermanentFailure, match="Use a pool in session mode"),
        postgres.transaction(),
    ):
        pass
    with psycopg.connect(database_url) as db:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert db.execute(tables).fetchone() == (0,)


def namespace(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, capture_output=True)


@pytest.fixture
def host() -> Iterator[tuple[str, str]]:
    """Another host, joined by a cable: its name, and the name of the cable's end here."""
    name, cable = "grader-far", "grader-cable"
    try:
        namespace("netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("network namespaces need root and iproute2")
    try:
        namespace("link", "add", cable, "type", "veth", "peer", "name", "far", "netns", name)
        namespace("addr", "add", "10.213.7.1/24", "dev", cable)
        namespace("link", "set", cable, "up")
        namespace("-n", name, "addr", "add", "10.213.7.2/24", "dev", "far")
        namespace("-n", name, "link", "set", "far", "up")
        yield name, cable
    finally:
        subprocess.run(["ip", "link", "del", cable], check=False, capture_output=True)
        namespace("netns", "del", name)


@pytest.mark.processes
def test_the_locks_of_a_host_that_is_gone_are_free_within_half_a_minute(
    host: tuple[str, str],
) -> None:
    name, cable = host
    hold = (
        "import sys, time\n"
        "from grader_pipeline.resources.postgres import Postgres\n"
        "with Postgres.at(sys.argv[1]).transaction(lock='rollups') as db:\n"
        "    print('has it', flush=True)\n"
        "    time.sleep(600)\n"
    )
    with debian_server("10.213.7.1", "10.213.7.0/24") as folder:
        far = "postgresql://postgres@10.213.7.1/postgres"
        command = ["ip", "netns", "exec", name, sys.executable, "-c", hold, far]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout and holder.stdout.readline() == "has it\n"
            namespace("link", "set", cable, "down")
            started = time.monotonic()
            near = Postgres.at(f"postgresql://postgres@/postgres?host={folder}")
            with closing(near), near.transaction(lock="rollups"):
                waited = time.monotonic() - started
            holder.kill()
    assert 5 < waited < 30
