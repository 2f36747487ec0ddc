"""deploy/systemd: systemd takes the units, and they start each role as the product takes it."""

import re
import shlex
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from grader_pipeline_tests.deploy.product import SERVED, parsed, unknown
from grader_pipeline_tests.wheel import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
COMMON = FOLDER / "grader-pipeline-.service.d" / "common.conf"
STEPS_SINCE = 254
"""The release of systemd that has these. Older ones warn of them, and go on."""
STEPS = re.compile(r"(?m)^(RestartSteps|RestartMaxDelaySec)=.*\n")

pytestmark = pytest.mark.processes


def values(path: Path, key: str) -> list[str]:
    return re.findall(rf"(?m)^{key}=(.*)$", path.read_text())


def command(unit: Path) -> list[str]:
    (line,) = values(unit, "ExecStart")
    program, *arguments = shlex.split(line)
    assert program == "/opt/grader-pipeline/bin/grader-pipeline"
    return arguments


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("unit", [*UNITS, FOLDER / "grader-pipeline.target"], ids=lambda u: u.name)
def test_systemd_understands_each_line(unit: Path, tmp_path: Path) -> None:
    units = tmp_path / "units"
    shutil.copytree(FOLDER, units)
    program = tmp_path / "grader-pipeline"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for copy in (path for path in units.rglob("*") if path.is_file()):
        text = copy.read_text().replace("/opt/grader-pipeline/bin/grader-pipeline", str(program))
        copy.write_text(text if release() >= STEPS_SINCE else STEPS.sub("", text))
    assert verify(units / unit.name) == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_a_line_that_systemd_does_not_understand_is_noticed(tmp_path: Path) -> None:
    unit = tmp_path / "grader-pipeline-x.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nProtectSistem=strict\n")
    assert "ProtectSistem" in "".join(verify(unit))


def verify(unit: Path) -> list[str]:
    """What systemd says against a unit, its drop-ins included."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True, text=True, check=False,
        # The colon: the machine's own units too.
        env={"SYSTEMD_UNIT_PATH": f"{unit.parent}:", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    said = (done.stdout + done.stderr).splitlines()
    return [*said, f"It ends with {done.returncode}."] if done.returncode else said


@cache
def release() -> int:
    """The release of this machine's systemd."""
    asked = ["systemd-analyze", "--version"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return int(said.split()[1])


def test_each_role_has_a_unit_and_the_target_starts_them_all() -> None:
    started = {unit.name: parsed(command(unit)) for unit in UNITS}
    assert {chosen.command for chosen in started.values()} == {*SERVED, "migrate"}
    target = FOLDER / "grader-pipeline.target"
    wanted = [name for line in values(target, "Wants") for name in line.split()]
    assert sorted(wanted) == sorted(started)
    assert all(values(unit, "WantedBy") == [target.name] for unit in UNITS)
    assert values(COMMON, "PartOf") == [target.name]


def test_the_database_is_prepared_before_any_role_starts() -> None:
    migrate = "grader-pipeline-migrate.service"
    for unit in UNITS:
        if unit.name == migrate:
            assert values(unit, "Type") == ["oneshot"]
        else:
            assert migrate in values(unit, "Wants")
            assert migrate in " ".join(values(unit, "After")).split()


def test_the_units_run_as_a_user_of_their_own_that_can_gain_nothing() -> None:
    assert values(COMMON, "User") == ["grader-pipeline"]
    assert "u grader-pipeline" in (FOLDER / "grader-pipeline.sysusers").read_text()
    for key, value in (
        ("NoNewPrivileges", "yes"), ("CapabilityBoundingSet", ""), ("ProtectSystem", "strict"),
        ("StateDirectory", "grader-pipeline"), ("EnvironmentFile", "/etc/grader-pipeline/env"),
    ):  # fmt: skip
        assert values(COMMON, key) == [value]


def test_their_settings_are_those_of_the_product() -> None:
    set_here = {
        pair.partition("=")[0]
        for path in (*UNITS, COMMON) for line in values(path, "Environment")
        for pair in shlex.split(line)
    }  # fmt: skip
    assert unknown(set_here) == set()
