"""The command line: how it is started, what it knows, and what it imports."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from grader_pipeline.cli import command
from grader_pipeline_tests.processes import COMMAND

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_command_is_also_the_package_run_as_a_module() -> None:
    module = [sys.executable, "-m", "grader_pipeline.cli"]
    done = subprocess.run(module, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "usage: grader-pipeline" in done.stderr


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--version"])
    assert capsys.readouterr().out == f"{version('grader-pipeline')}\n"


def test_its_help_names_each_subcommand_and_imports_none() -> None:
    code = "import sys; from grader_pipeline.cli.command import main\n"
    code += "try:\n    main(['--help'])\nfinally:\n    print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\nFalse\n")
    assert all(f"\n    {name}" in done.stdout for name in command._COMMANDS)


@pytest.mark.parametrize("name", sorted(set(command._COMMANDS) - {"sample-api", "demo"}))
def test_a_command_says_once_which_settings_it_uses_and_not_in_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=nonsense\nGRADER_HOME=here\n")
    monkeypatch.delenv("GRADER_HOME")
    days = ("--from", "2023-05-31", "--to", "2023-05-31", "--out", "page.html")
    arguments = {
        "report": days, "exec": ("true",), "mail": ("list",),
        "learner": ("include", "x"), "trace": ("2023-05-31", "submits"),
        "health": ("daemon",),
    }.get(name, ())  # fmt: skip
    done = subprocess.run([*COMMAND, name, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    used = f"Settings: {tmp_path / '.env'}; GRADER_HOME: {tmp_path / 'here'}\n"
    assert (done.stderr.count(used), done.stderr.count("Settings:")) == (1, 1)
    assert "Settings:" not in done.stdout


def test_a_role_that_gets_its_settings_from_its_environment_misses_no_file(
    tmp_path: Path, real_api: None, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    used = f"GRADER_HOME: {os.environ['GRADER_HOME']}"
    assert run("health", "daemon").stderr.splitlines()[0] == used
    monkeypatch.delenv("GRADER_API_URL")
    said = run("health", "daemon").stderr
    assert said.startswith(f"Settings: no .env in {tmp_path}; {used}")


@pytest.mark.parametrize("length", [1, 1_000_000])
def test_a_reader_that_ends_early_such_as_head_is_no_error(length: int) -> None:
    code = (
        "import sys; from grader_pipeline.cli import command, trace\n"
        f"trace.run = lambda _: print('x' * {length})\n"
        "sys.exit(command.main(['trace', '2023-05-31', 'submits']))"
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=stdout, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 128 + signal.SIGPIPE
    assert [line.partition(b":")[0] for line in done.stderr.splitlines()] == [b"Settings"]


def test_wrong_settings_are_shown_with_the_file_that_may_have_them(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_PORT=none\n")
    done = subprocess.run([*COMMAND, "dev"], capture_output=True, text=True, check=False)
    first, second = done.stderr.splitlines()
    assert first == f"Settings: {tmp_path / '.env'}"
    assert second.startswith("grader-pipeline: SMTP_PORT: ")


def test_the_demo_says_which_two_settings_it_uses_and_reads_no_other(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SMTP_PORT=none\nGRADER_HOME=/proc/home\nGRADER_TIMEZONE=Moscow\n")
    environment = {name: value for name, value in os.environ.items() if name != "GRADER_HOME"}
    for zone, said in {"": "/proc/home/demo/dagster cannot", "Mars": "GRADER_TIMEZONE: is"}.items():
        done = subprocess.run(
            [*COMMAND, "demo"], capture_output=True, text=True, check=False,
            env=environment | {"GRADER_TIMEZONE": zone or "Europe/Berlin"},
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith(f"grader-pipeline: {said}")


@pytest.mark.parametrize("name", command._COMMANDS)
def test_each_subcommand_has_its_file_and_its_help(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command._parsed([name, "--help"])
    assert ended.value.code == 0
    assert f"usage: grader-pipeline {name} " in capsys.readouterr().out
