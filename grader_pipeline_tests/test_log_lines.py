"""GRADER_LOG: where lines go, and what a line of JSON has. No secret is in one."""

import datetime as dt
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

import grader_pipeline
from grader_pipeline import logs
from grader_pipeline.log_lines import JsonLines
from grader_pipeline.settings import Settings

WRITER = """
import logging, sys
from grader_pipeline import logs
logs.configure()
for number in range(300):
    logging.getLogger("grader_pipeline.writer").info(
        "%s %d %s", sys.argv[1], number, "x" * (number * 37 % 9000)
    )
"""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    monkeypatch.setenv("GRADER_LOG", "json")
    monkeypatch.setattr(logging.getLogger("grader_pipeline"), "propagate", False)
    logs.configure()
    return logging.getLogger("grader_pipeline.test")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_is_one_object_with_its_time_in_utc_and_no_file_is_written(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    before = dt.datetime.now(dt.UTC)
    log.warning('one\ntwo\r\n{"ts": 0}\u2028\x85\x1b[2J пять %d', 5)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == out.count("\n") == 1
    assert "пять" in out
    (line,) = lines(out)
    assert list(line) == ["ts", "level", "logger", "message"]
    moment = dt.datetime.fromisoformat(line["ts"])
    assert moment.utcoffset() == dt.timedelta(0)
    assert abs(moment - before) < dt.timedelta(seconds=5)
    assert (line["level"], line["logger"]) == ("WARNING", "grader_pipeline.test")
    assert line["message"] == 'one\ntwo\r\n{"ts": 0}\u2028\x85\x1b[2J пять 5'
    assert not Settings().logs_dir.exists()


def test_half_of_a_character_is_escaped_because_utf_8_has_none() -> None:
    # Made by hand: pytest cannot hand on what it captures of such a line.
    line = JsonLines(str).format(logging.makeLogRecord({"msg": "\udc80"}))
    line.encode()
    assert json.loads(line)["message"] == "\udc80"


def test_no_secret_is_in_a_message_or_a_traceback(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", 'sesame "street" öffne dich')
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key-of-the-api")
    try:
        int('sesame "street" öffne dich, key-of-the-api')
    except ValueError:
        log.exception('failed: sesame "street" öffne dich, http://u:pass@host/?key=key-of-the-api')
    out = capsys.readouterr().out
    (line,) = lines(out)
    assert "***" in line["message"]
    assert "ValueError: invalid literal" in line["traceback"]
    for hidden in ("street", "key-of-the-api", "pass@"):
        assert hidden not in out


@pytest.mark.processes
def test_lines_of_a_run_are_written_once_with_the_run_and_its_day(
    log: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    days = dg.DailyPartitionsDefinition("2023-05-01", end_date="2023-06-30")

    @dg.asset(partitions_def=days)
    def work(context: dg.AssetExecutionContext) -> None:
        log.info("said by a module")
        context.log.info("said by context.log")

    (shipped,) = Path(*grader_pipeline.__path__).glob("*/dagster.yaml")
    python_logs = yaml.safe_load(shipped.read_text())["python_logs"]
    with dg.instance_for_test(overrides={"python_logs": python_logs}) as instance:
        run = dg.materialize([work], instance=instance, partition_key="2023-05-31")
    found = lines(capsys.readouterr().out)
    for said in ("said by a module", "said by context.log"):
        (line,) = [line for line in found if line["message"] == said]
        assert (line["run"], line["day"]) == (run.run_id, "2023-05-31")
    log.info("after it")
    assert "run" not in lines(capsys.readouterr().out)[0]


@pytest.mark.processes
def test_lines_of_many_processes_in_one_pipe_are_whole_and_each_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADER_LOG", "json")
    writers = f'for w in a b c; do "{sys.executable}" -c "$0" $w & done; wait'
    done = subprocess.run(
        ["sh", "-c", f"({writers}) | cat", WRITER], capture_output=True, text=True, check=True
    )
    seen = {tuple(line["message"].split(" ")[:2]): line["message"] for line in lines(done.stdout)}
    assert seen.keys() == {(name, str(n)) for name in "abc" for n in range(300)}
    assert all(len(said.split(" ")[2]) == int(n) * 37 % 9000 for (_, n), said in seen.items())


def test_stdout_gets_the_lines_that_the_file_would_get(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADER_LOG", "stdout")
    log.info("one\ntwo")
    assert capsys.readouterr().out.endswith(" - INFO: one\n    two\n")
    assert not Settings().logs_dir.exists()
