"""The log file is whole, rotated, free of secrets, and holds every line once."""

import datetime as dt
import fcntl
import logging
import re
import subprocess
import sys
import time
from base64 import b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
import yaml

import grader_pipeline.roles
from grader_pipeline import logs
from grader_pipeline.settings import SAMPLE_CLIENT, Settings
from grader_pipeline_tests.small_disk import small_disk
from grader_pipeline_tests.waiting import eventually

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - (INFO|WARNING|ERROR): (.*)")

WRITER = """
import itertools, logging, sys
from pathlib import Path
from grader_pipeline import logs
logs.configure()
log = logging.getLogger("grader_pipeline.writer")
for number in itertools.count():
    log.info("%s %d %s", sys.argv[1], number, "x" * (number * 37 % 9000))
    if number >= 500 and Path(sys.argv[2]).exists():
        break
print(number + 1)
"""


@pytest.fixture(autouse=True)
def _configured() -> None:
    logs.configure()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "logs"


def rotate_at(folder: Path, moment: float) -> None:
    """Let the next line find that midnight was at ``moment``."""
    with (folder / ".__app_log.txt.lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate()
        file.write(str(int(moment)))


def text(folder: Path) -> str:
    path = folder / "app_log.txt"
    return path.read_text() if path.exists() else ""


def archives(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("app_log.txt.*"))


@pytest.mark.processes
def test_lines_of_many_processes_are_whole_and_none_is_lost_while_the_file_is_rotated(
    folder: Path, tmp_path: Path
) -> None:
    enough = tmp_path / "enough"
    writers = {
        name: subprocess.Popen(
            [sys.executable, "-c", WRITER, name, str(enough)], stdout=subprocess.PIPE, text=True
        )
        for name in ("w1", "w2", "w3")
    }
    try:
        assert eventually(lambda: all(f"INFO: {name} 0 " in text(folder) for name in writers), 60)
        for back in range(logs.ARCHIVES):
            rotate_at(folder, time.time() - 86_400 * back)
            assert eventually(lambda back=back: len(archives(folder)) == back + 1, 60)
    finally:
        enough.touch()
    counts = {name: int(writer.communicate(timeout=60)[0]) for name, writer in writers.items()}
    seen: Counter[tuple[str, int]] = Counter()
    for path in folder.glob("app_log.txt*"):
        for line in path.read_text().splitlines():
            found = LINE.fullmatch(line)
            assert found, line[:200]
            writer, number, padding = found[2].split(" ")
            assert len(padding) == int(number) * 37 % 9000
            seen[writer, int(number)] += 1
    assert seen == Counter({(name, i): 1 for name, count in counts.items() for i in range(count)})


def test_the_first_line_after_days_of_silence_begins_a_new_file_named_for_its_day(
    folder: Path,
) -> None:
    log = logging.getLogger("grader_pipeline.test")
    log.info("before the silence")
    midnight = dt.datetime.combine(dt.date.today() - dt.timedelta(days=5), dt.time())
    rotate_at(folder, midnight.timestamp())
    log.info("after it")
    (archive,) = archives(folder)
    assert archive == f"app_log.txt.{midnight.date() - dt.timedelta(days=1)}"
    assert "before the silence" in (folder / archive).read_text()
    assert "after it" in text(folder)
    assert "before" not in text(folder)


def test_the_three_newest_archives_are_kept(folder: Path) -> None:
    log = logging.getLogger("grader_pipeline.test")
    log.info("the first day")
    midnight = dt.datetime.combine(dt.date.today(), dt.time())
    for back in range(9, 0, -1):
        rotate_at(folder, (midnight - dt.timedelta(days=back)).timestamp())
        log.info("%d days ago", back)
    days = [midnight.date() - dt.timedelta(days=back) for back in (4, 3, 2)]
    assert archives(folder) == [f"app_log.txt.{day}" for day in days]


def test_no_secret_reaches_the_file_in_any_form(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", "k/e y&+ö")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:geheimnis@host/grader")
    monkeypatch.setenv("SMTP_PASSWORD", "correct horse")
    monkeypatch.setenv(
        "GOOGLE_SHEETS_CREDENTIALS", '{"private_key": "-----BEGIN\\nabcdef\\n-----END"}'
    )
    logs._output.cache_clear()  # the settings are read when the file is opened
    log = logging.getLogger("grader_pipeline.test")
    log.info(
        "GET https://api/?client_key=k%%2Fe%%20y%%26%%2B%%C3%%B6&x and k%%2Fe+y%%26%%2B%%C3%%B6"
    )
    log.info("key %s, url %s", "k/e y&+ö", "postgresql://me:geheimnis@host/grader")
    log.info("in a page %s, in JSON %s", "k/e y&amp;+ö", "k/e y&+\\u00f6")
    log.info("private %s", "-----BEGIN\nabcdef\n-----END")
    refusal = ValueError("login with correct horse refused, geheimnis too")
    log.error("failed", exc_info=refusal)
    written = text(folder)
    for secret in ("k%2Fe", "k/e", "geheimnis", "correct horse", "abcdef"):
        assert secret not in written
    assert "ValueError: login with *** refused" in written
    logs._output.cache_clear()


@pytest.mark.parametrize(
    "form",
    [
        'k/e y&"+ö',
        "k/e%20y%26%22%2B%C3%B6",
        "k%2Fe%20y%26%22%2B%C3%B6",
        "k%2Fe+y%26%22%2B%C3%B6",
        'k/e y&\\"+ö',
        'k/e y&\\"+\\u00f6',
        "k/e y&amp;&quot;+ö",
        "k%2fe%20y%26%22%2b%c3%b6",
        "%6b%2F%65%20%79%26%22%2B%C3%B6",
        "k%252Fe%2520y%2526%2522%252B%25C3%25B6",
        "%6B/e+y&%22%2bö",
        "ay9lIHkmIivDtg==",
        "ay9lIHkmIivDtg%3D%3D",
    ],
)
def test_a_secret_is_masked_as_it_is_and_in_each_encoding(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", 'k/e y&"+ö')
    # No URL: it would lose the value of its query anyway.
    said = logs.without_secrets(f"refused: {form} (key={form})", Settings())
    assert said == "refused: *** (key=***)"


@pytest.mark.parametrize(
    "content",
    [
        "\0robot@school.example\0{secret}",
        "robot@school.example\0robot@school.example\0{secret}",
        "robot@school.example:{secret}",
        "{secret}",
        "{secret} and more",
        "an even longer text, then {secret}",
    ],
    ids=["PLAIN", "PLAIN as another", "Basic", "LOGIN", "before", "after"],
)
@pytest.mark.parametrize(
    "said", ["AUTH {}", "send: 'AUTH PLAIN {}\\r\\n'", "(b'{}')", "x/{}", "xy-{}z"]
)
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["=", ""])
def test_base64_that_has_a_secret_anywhere_in_it_is_masked(
    monkeypatch: pytest.MonkeyPatch,
    content: str,
    said: str,
    encode: Callable[[bytes], bytes],
    padding: str,
) -> None:
    secret = "~~ü?~~>>correct horse"
    monkeypatch.setenv("SMTP_PASSWORD", secret)
    encoded = encode(content.format(secret=secret).encode()).decode().replace("=", padding)
    shown = logs.without_secrets(said.format(encoded), Settings())
    assert "***" in shown
    assert not any(encoded[at : at + 8] in shown for at in range(len(encoded) - 7))


def test_base64_without_a_secret_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "correct horse")
    text = (
        "grader_pipeline/validated_attempts aGVsbG8gd29ybGQhIQ== 3583bf109f8b458e13ae1ac9d85c396a"
    )
    assert logs.without_secrets(text, Settings()) == text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:p%40ss-geheimnis@host/grader",
        "postgresql://host/grader?user=me&password=p%40ss-geheimnis&sslmode=require",
        "host=host user=me password=p@ss-geheimnis dbname=grader",
        "host=host user=me password='p@ss-geheimnis' dbname=grader",
    ],
)
def test_the_databases_password_is_kept_out_however_it_is_given_and_shown(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    said = logs.without_secrets("p@ss-geheimnis, p%40ss-geheimnis, user me", Settings())
    assert said == "***, ***, user me"


@pytest.mark.parametrize(
    "password", ["[geheimnis", "geheimnis]x", "%zzgeheimnis", "%zz:[geheimnis@1"]
)
def test_a_database_url_that_cannot_be_read_still_gives_its_password_away_to_nobody(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{password}@host/grader")
    assert logs.without_secrets(f"refused: {password}", Settings()) == "refused: ***"


def test_the_sample_apis_key_takes_no_word_from_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", SAMPLE_CLIENT)
    assert logs.without_secrets("sample-api ended", Settings()) == "sample-api ended"


@pytest.mark.parametrize("password", ["p@ss-geheim", "p@ss@geheimnis", "half/geheimnis"])
def test_no_half_of_a_password_with_a_raw_sign_is_shown(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    url = f"postgresql://me:{password}@host/grader"
    monkeypatch.setenv("DATABASE_URL", url)
    half = password.rpartition("@")[2]
    for text in (url, url.replace("grader", "other"), f'name "{half}@host"'):
        said = logs.without_secrets(f"cannot translate {text}", Settings())
        assert "geheim" not in said
        assert "ss-" not in said


@pytest.mark.parametrize(
    ("secret", "text"),
    [("grade", "grader_table: grade of a day"), ("pipeline", "grader_pipeline, pipelines")],
)
def test_no_part_of_an_ordinary_word_is_taken_for_a_secret(
    monkeypatch: pytest.MonkeyPatch, secret: str, text: str
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", secret)
    assert logs.without_secrets(text, Settings()) == text


@pytest.mark.parametrize("before", ["%20", "\\n", "\\x00", "\\u0000", "=3D", "&quot;", "(", "="])
def test_a_secret_after_an_escaped_sign_is_a_whole_token(
    monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "geheimnis")
    assert logs.without_secrets(f"said{before}geheimnis", Settings()) == f"said{before}***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pw@host/path?key=1&b=c d", "https://***@host/path?key=***&b=*** d"),
        ("redis://:p@w@host:1/0", "redis://***@host:1/0"),
        ("see <http://host/?key=x> now", "see <http://host/?key=***> now"),
        ("https://host/path#gid=0, a@b.org", "https://host/path#gid=0, a@b.org"),
    ],
)
def test_a_url_of_a_foreign_text_loses_its_login_and_the_values_of_its_query(
    url: str, shown: str
) -> None:
    assert logs.without_secrets(url, Settings()) == shown


def test_a_message_cannot_pretend_to_be_another_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest captures what reaches the root logger, and cannot send half a surrogate pair.
    monkeypatch.setattr(logging.getLogger("grader_pipeline"), "propagate", False)
    log = logging.getLogger("grader_pipeline.test")
    log.warning("one\n2026-01-01 00:00:00 - INFO: two\r\nthree\x1b[2J\u2028four \udc80 пять")
    lines = text(folder).split("\n")
    assert LINE.fullmatch(lines[0])
    assert [line[:4] for line in lines[1:-1]] == ["    ", "    "]
    assert "\x1b" not in text(folder)
    assert "пять" in text(folder)


@pytest.mark.processes
def test_every_line_of_a_run_is_written_once_and_shows_up_in_dagster(folder: Path) -> None:
    @dg.op
    def work(context: dg.OpExecutionContext) -> None:
        logging.getLogger("grader_pipeline.somewhere").info("said by a module")
        context.log.info("said by context.log")

    @dg.job
    def job() -> None:
        work()

    template = Path(grader_pipeline.roles.__path__[0]) / "dagster.yaml"
    python_logs = yaml.safe_load(template.read_text())["python_logs"]
    with dg.instance_for_test(overrides={"python_logs": python_logs}) as instance:
        run = job.execute_in_process(instance=instance)
        events = [entry.user_message for entry in instance.all_logs(run.run_id)]
    for said in ("said by a module", "said by context.log"):
        assert text(folder).count(said) == 1
        assert sum(said in event for event in events) == 1


def test_a_sensors_own_logger_can_be_joined(folder: Path) -> None:
    @dg.sensor(job_name="none")
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        context.log.addHandler(logs.handler())
        context.log.addHandler(logs.handler())
        context.log.info("said by a sensor")
        return dg.SkipReason("nothing to do")

    with dg.instance_for_test() as instance, dg.build_sensor_context(instance) as context:
        sensor.evaluate_tick(context)
    assert text(folder).count("said by a sensor") == 1


def test_a_folder_that_cannot_be_written_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GRADER_HOME", str(tmp_path / "file"))
    logging.getLogger("grader_pipeline.test").info("unheard")
    assert "NotADirectoryError" in capsys.readouterr().err


def test_a_full_disk_takes_no_half_line_and_stops_nobody(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = logging.getLogger("grader_pipeline.test")
    long = "x" * 30_000
    with small_disk(folder.parent, 512 * 1024):
        for number in range(20):
            log.info("%d %s", number, long)
        err = capsys.readouterr().err
        assert "The disk is full, and this line is not in the log. Make room" in err
        assert str(folder / "app_log.txt") in err
        lines = text(folder).splitlines()
        assert 0 < len(lines) < 20
        assert all(line.endswith(f" {long}") for line in lines)
        (folder / "app_log.txt").write_text("")
        log.info("there is room")
        assert text(folder).endswith("there is room\n")
    logs._output.cache_clear()
