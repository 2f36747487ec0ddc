"""``doctor`` has a line for each setting and connection, and never a secret."""

import socket
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest

from grader_pipeline.asset_names import RAW_ATTEMPTS
from grader_pipeline.many_hosts import NEEDED
from grader_pipeline.storage import SUFFIXES
from grader_pipeline_tests.broker import BESIDE, broker
from grader_pipeline_tests.grader import running
from grader_pipeline_tests.small_disk import small_disk
from grader_pipeline_tests.stacks import api

Doctor = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def doctor(run: Doctor, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Runs the command with further settings."""

    def doctor(**environment: str) -> subprocess.CompletedProcess[str]:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return run("doctor")

    return doctor


def test_doctor_is_content_with_nothing_set(doctor: Doctor) -> None:
    done = doctor()
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line[:6] for line in lines] == ["ok    "] * len(lines)
    named = [line[6:].split(":")[0] for line in lines]
    assert named == [
        *("settings", "log folder", "storage", "disks", "database", "broker", "API", "sheet"),
        *("mail", "channels", "heartbeat", "recipients", "Dagster"),
    ]


def test_doctor_changes_nothing(doctor: Doctor, home: Path, database_url: str) -> None:
    with running() as grader:
        _changes_nothing(partial(doctor, **api(grader.url, "school")), home, database_url)


def _changes_nothing(doctor: Doctor, home: Path, database_url: str) -> None:
    relations = "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_'"
    with psycopg.connect(database_url) as db:
        before = db.execute(relations).fetchone()
        done = doctor()
        assert "ok    database: PostgreSQL answers; the next run applies" in done.stdout
        assert done.returncode == 0, done.stdout
        assert db.execute(relations).fetchone() == before
    assert not home.exists()
    assert not list(home.parent.iterdir())


def test_doctor_names_what_is_odd_about_settings_that_can_be_read(
    doctor: Doctor, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("GRADER_TIMEZON=Asia/Omsk\nDATABASE_ULR=s3cret-1\nEDITOR=vi\n")
    done = doctor(
        grader_home_dir="s3cret-2",
        GRADER_START_DATE="2999-12-31",
        SMTP_PASSWORD=" s3cret-3",
        PGDATABASE_URL="s3cret-4",
        GRADER_LAUNCHER_HOME="of the launcher",
    )
    assert done.returncode == 0, done.stdout
    said = [line for line in done.stdout.splitlines() if line.startswith("warn  settings: ")]
    file = tmp_path / ".env"
    assert [line.removeprefix("warn  settings: ") for line in said] == [
        f"DATABASE_ULR in {file} is no setting, and nobody reads it. Is DATABASE_URL meant?",
        "GRADER_HOME_DIR is no setting, and nobody reads it. See .env.example for the names.",
        f"GRADER_TIMEZON in {file} is no setting, and nobody reads it. Is GRADER_TIMEZONE meant?",
        "SMTP_PASSWORD has blanks around its value. Remove them: they may count as part of it.",
        "GRADER_START_DATE is 2999-12-31, a day to come: until then no day can be loaded. Set the "
        "first day of which you want a report.",
    ]
    assert "s3cret" not in done.stdout + done.stderr


def test_a_value_that_cannot_be_read_hides_nothing_else_that_is_wrong_or_odd(
    doctor: Doctor, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "GRADER_API_URL=http://127.0.0.1:1/\nGRADER_API_CLENT=school\nGRADR_HOME=s3cret-1\n"
        "GOOGLE_SHEET_ID=s3cret-2\nGRADER_START_DATE=2999-05-01\nMAIL_TO=nobody\n"
        "GRADER_MAX_REJECTED_SHARE=50%\nGRADER_API_CONCURRENCY=two\nSMTP_USER=' s3cret-3'\n"
        "GRADER_REQUIRE_OUTCOME_URL=perhaps\n"
    )
    done = doctor()
    assert done.returncode == 1
    file = tmp_path / ".env"
    lines = done.stdout.splitlines()
    assert "GRADER_API_CLIENT and GRADER_API_CLIENT_KEY too" in lines[4]
    assert "FAIL  settings: MAIL_TO: address 1 cannot be used" in lines[3]
    assert [line.removeprefix("FAIL  settings: ") for line in lines[:3]] == [
        "GRADER_API_CONCURRENCY: write a whole number",
        "GRADER_MAX_REJECTED_SHARE: write a number, such as 0.5",
        "GRADER_REQUIRE_OUTCOME_URL: write true or false",
    ]
    said = [line.removeprefix("warn  settings: ") for line in lines[5:]]
    assert [line.partition(" is no ")[0] for line in said[:3]] == [
        *(f"GOOGLE_SHEET_ID in {file}", f"GRADER_API_CLENT in {file}", f"GRADR_HOME in {file}"),
    ]
    assert "Is GRADER_API_CLIENT meant?" in said[1]
    assert said[3].startswith("SMTP_USER has blanks around its value")
    assert said[4].startswith("GRADER_START_DATE is 2999-05-01, a day to come")
    assert len(said) == 5
    assert "s3cret" not in done.stdout + done.stderr


def test_doctor_says_what_would_be_sent_to_whom(doctor: Doctor) -> None:
    def said(**environment: str) -> str:
        lines = doctor(**environment).stdout.splitlines()
        return next(line for line in lines if "recipients:" in line)

    assert said() == "ok    recipients: nobody, because SMTP_HOST and MAIL_TO are not set"
    both = said(MAIL_TO="Anna <a@b.org>, c@d.org")
    assert "would be sent, once SMTP_HOST is set, to a@b.org, c@d.org; failures too" in both
    assert said(MAIL_ON_FAILURE_TO="e@f.org").endswith("a@b.org, c@d.org; failures to e@f.org")
    assert "FAIL" in doctor(MAIL_TO="nobody").stdout
    courses = said(
        MAIL_TO="Anna <a@b.org>, c@d.org", MAIL_COURSES="g@h.org = course-v1:A+B+C",
        GRADER_CHANNELS="json://s3cret-w@b.org",
    )  # fmt: skip
    assert "b.org, c@d.org, json-" in courses
    assert "s3cret" not in courses
    assert "; the figures of their courses to g@h.org; failures" in courses
    here = said(SMTP_HOST="127.0.0.1", SMTP_PORT="1", MAIL_TO="", GRADER_CHANNELS="")
    assert here.startswith("warn  recipients: nobody gets the report: set MAIL_TO")


def test_doctor_fails_where_dev_refuses_sample_days(doctor: Doctor, run: Doctor) -> None:
    for given in ({"SMTP_HOST": "127.0.0.1", "SMTP_PORT": "1"}, {"GRADER_STORAGE": "days"}):
        with pytest.MonkeyPatch.context() as environment:
            for name, value in given.items():
                environment.setenv(name, value)
            refused = run("dev")
            assert refused.returncode == 1
            why = refused.stderr.splitlines()[-1].removeprefix("grader-pipeline: ")
            assert "set GRADER_API_URL" in why.replace("Set", "set")
            done = doctor()
            assert done.returncode == 1
            assert f"FAIL  API: {why}\n" in done.stdout


def test_doctor_names_all_that_several_hosts_need_and_nothing_keeps(doctor: Doctor) -> None:
    done = doctor(GRADER_BROKER_URL="redis://:s3cret-broker@127.0.0.1/0")
    assert done.returncode == 1
    (said,) = done.stdout.splitlines()
    assert said.startswith("FAIL  settings: GRADER_BROKER_URL is set")
    assert all(name in said for name in NEEDED)
    assert "s3cret" not in done.stdout + done.stderr


def test_doctor_says_what_to_do_about_each_failure_and_never_a_secret(
    doctor: Doctor, home: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        nowhere = f"127.0.0.1:{deaf.getsockname()[1]}"
        deaf.close()
        done = doctor(
            DATABASE_URL=f"postgresql://me:s3cret-database@{nowhere}/grader",
            GRADER_BROKER_URL=f"redis://:s3cret-broker@{nowhere}/0",
            GRADER_API_URL=f"http://{nowhere}/api",
            GRADER_API_CLIENT="school",
            GRADER_API_CLIENT_KEY="s3cret-key",
            GRADER_STORAGE=f"file://{home}/storage",
            GOOGLE_SHEETS_CREDENTIALS='{"private_key": "s3cret-sheet"}',
            SMTP_HOST="127.0.0.1",
            SMTP_PORT=nowhere.split(":")[1],
            SMTP_PASSWORD="s3cret-mail",
            MAIL_TO="a@example.org",
            SMTP_FROM="b@example.org",
        )
    assert done.returncode == 1
    failed = [line.split(":")[0] for line in done.stdout.splitlines() if line.startswith("FAIL")]
    parts = ["database", "broker", "API", "sheet", "mail", "Dagster"]
    assert failed == [f"FAIL  {part}" for part in parts]
    assert "s3cret" not in done.stdout + done.stderr
    (said,) = [line for line in done.stdout.splitlines() if line.startswith("FAIL  Dagster")]
    assert said.endswith("Connection refused")
    assert "Is the server running" not in said


@pytest.mark.parametrize("password", ["s3cret[", "s3cret%zz"])
def test_doctor_gets_through_a_database_url_that_cannot_be_read(
    doctor: Doctor, password: str
) -> None:
    done = doctor(DATABASE_URL=f"postgresql://me:{password}@127.0.0.1:1/grader")
    assert done.returncode == 1
    assert "FAIL  Dagster: " in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize("password", ["p@s3cret", "p/s3cret", "p@/s3cret"])
def test_a_password_with_a_raw_sign_is_refused_before_a_half_of_it_is_taken_for_a_host(
    doctor: Doctor, password: str
) -> None:
    done = doctor(DATABASE_URL=f"postgresql://me:{password}@127.0.0.1:1/grader")
    assert done.returncode == 1
    for part in ("database", "Dagster"):
        assert f"FAIL  {part}: DATABASE_URL cannot be read" in done.stdout
    assert "percent-encoded" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_doctor_sends_nobody_to_a_driver_when_a_local_folder_cannot_be_written(
    home: Path, doctor: Doctor
) -> None:
    home.write_text("in the way")
    done = doctor()
    assert done.returncode == 1
    assert "fsspec" not in done.stdout
    assert "Set GRADER_STORAGE, or GRADER_HOME, to a folder" in done.stdout


@pytest.mark.parametrize(
    ("megabytes", "mark", "said"),
    [(1, "FAIL", "The next day does not fit. Make room"), (5, "warn", " more days fit. Make room")],
)
def test_doctor_forecasts_a_full_disk(
    tmp_path: Path, doctor: Doctor, megabytes: int, mark: str, said: str
) -> None:
    with small_disk(tmp_path / "storage", megabytes * 1_000_000) as storage:
        (storage / RAW_ATTEMPTS).mkdir()
        name = f"2023-05-31{SUFFIXES[RAW_ATTEMPTS]}"
        (storage / RAW_ATTEMPTS / name).write_bytes(bytes(600_000))
        done = doctor(GRADER_STORAGE=str(storage), DATABASE_URL="postgresql://127.0.0.1:1/grader")
    (line,) = [line for line in done.stdout.splitlines() if "disks:" in line]
    assert line.startswith(f"{mark}  disks: ")
    assert said in line
    assert f"GRADER_STORAGE ({storage}): " in line


def test_doctor_names_the_variable_that_cannot_be_read(doctor: Doctor) -> None:
    done = doctor(SMTP_PORT="seventy-secret", GRADER_TIMEZONE="Moscow", MAIL_TO="a@b.org; secret")
    assert done.returncode == 1
    assert "FAIL  settings: SMTP_PORT" in done.stdout
    assert "FAIL  settings: GRADER_TIMEZONE" in done.stdout
    assert "FAIL  settings: MAIL_TO: address 2 cannot be used, because it has no @" in done.stdout
    assert "secret" not in done.stdout


def test_doctor_warns_of_a_broker_that_may_lose_the_queue(doctor: Doctor, home: Path) -> None:
    here = {
        **BESIDE,
        "DATABASE_URL": "postgresql://127.0.0.1:1/grader",
        "GRADER_STORAGE": f"file://{home}/storage",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "1",
    }

    def said(url: str) -> str:
        lines = doctor(**here, GRADER_BROKER_URL=url).stdout.splitlines()
        return next(line for line in lines if "broker:" in line)

    with broker() as redis:
        assert said(redis.url).startswith("ok    broker: Redis")
        redis.ask.config_set("maxmemory-policy", "allkeys-lru")
        assert said(redis.url).startswith("warn  broker: Redis")
        redis.ask.config_set("appendonly", "no")
        assert "A restart of Redis loses the queue" in said(redis.url)
