"""The image: each role starts from it as another user than root, and a day is loaded.

It takes minutes, so it is built only with TEST_IMAGE=1 in the environment, as `.ci/run` does after
changes of what the image is made of.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from grader_pipeline.local.services import free_port
from grader_pipeline.roles.instance import LOCATION
from grader_pipeline_tests.conftest import debian_server
from grader_pipeline_tests.deploy import containers
from grader_pipeline_tests.deploy.containers import Image
from grader_pipeline_tests.deploy.product import SERVED
from grader_pipeline_tests.grader import attempt, rows, running
from grader_pipeline_tests.stacks import LAUNCH, RUNS, api
from grader_pipeline_tests.waiting import eventually

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not os.environ.get("TEST_IMAGE"), reason="TEST_IMAGE=1 builds the image"),
    pytest.mark.skipif(
        os.geteuid() != 0 or not all(map(shutil.which, containers.PROGRAMS)),
        reason=f"needs root, and {', '.join(containers.PROGRAMS)}",
    ),
]

DAY = "2023-05-31"
STOP_SECONDS = 15


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    with containers.built(tmp_path_factory.mktemp("image")) as image:
        yield image


def test_it_runs_as_another_user_who_can_change_nothing_of_it(image: Image) -> None:
    # As a number Kubernetes can see that it is not root's.
    assert int(image.config["User"].partition(":")[0]) > 0
    assert image.run_program("id", "-u") == image.config["User"].partition(":")[0]
    user, _, group = image.config["User"].partition(":")
    home = image.root / "var/lib/grader-pipeline"
    assert files(image, "-user", user, "-o", "-group", group) == {home}
    # Not by a read-only mount only.
    anybody = files(image, "-perm", "-o+w", "-not", "-type", "l", "-not", "-type", "c")
    assert anybody <= {image.root / name for name in ("tmp", "var/tmp", "run/lock")}


def files(image: Image, *condition: str) -> set[Path]:
    asked = ["find", str(image.root), "-xdev", "(", *condition, ")", "-print0"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return {Path(name) for name in found.split("\0") if name}


def test_it_has_the_package_and_nothing_that_only_its_build_needs(image: Image) -> None:
    where = "import grader_pipeline; print(*grader_pipeline.__path__)"
    (package,) = image.run_program("python", "-c", where).split()
    assert package.startswith("/opt/grader-pipeline/lib/")
    found = {
        path.name for folder in ("usr/bin", "usr/local/bin", "opt/grader-pipeline/bin")
        for path in (image.root / folder).glob("*")
    }  # fmt: skip
    assert "grader-pipeline" in found
    assert found & {"cc", "gcc", "g++", "make", "git", "pytest", "mypy", "uv"} == set()
    assert list(image.root.glob("opt/grader-pipeline/bin/pip*")) == []
    for leftover in ("root/.cache", "build", "var/lib/grader-pipeline/*"):
        assert list(image.root.glob(leftover)) == []
    assert "HOME=/tmp" in image.config["Env"]


class Machine:
    """Containers of the image on one machine, with a PostgreSQL and a grader outside of them."""

    def __init__(self, image: Image, settings: dict[str, str]) -> None:
        self.image, self.settings = image, settings
        self.containers: dict[str, subprocess.Popen[str]] = {}

    def start(self, role: str, *arguments: str) -> None:
        self.containers[role] = self.image.start(role, *arguments, settings=self.settings)

    def run(self, *command: str) -> tuple[int, str]:
        return self.image.run(*command, settings=self.settings)

    def is_healthy(self, role: str, *arguments: str) -> bool:
        assert self.containers[role].poll() is None, self.containers[role].communicate()[0]
        return self.run("health", role, *arguments)[0] == 0


@pytest.fixture
def machine(image: Image) -> Iterator[Machine]:
    port = free_port()
    with debian_server("127.0.0.1", port=port), running() as grader:
        grader.answer = rows([
            attempt(f"{DAY} 09:0{n}:00", f"{n:032x}", verdict)
            for n in range(6) for verdict in [None if n < 3 else n % 2]
        ])  # fmt: skip
        machine = Machine(image, {
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}/postgres",
            "GRADER_CODE_SERVER": f"127.0.0.1:{free_port()}",
            **api(grader.url, "school"),
        })  # fmt: skip
        try:
            yield machine
        finally:
            for container in machine.containers.values():
                container.kill()
                container.wait()


def test_every_role_starts_serves_and_ends_and_a_day_is_loaded(machine: Machine) -> None:
    code, said = machine.run("migrate")
    assert code == 0, said
    code, said = machine.run("migrate")
    assert (code, "is up to date" in said) == (0, True), said

    _, code_port = machine.settings["GRADER_CODE_SERVER"].split(":")
    port = str(free_port())
    arguments = {"code-server": ("--port", code_port), "ui": ("--port", port)}
    asked = {"ui": ("--port", port)}
    for role in SERVED - {"daemon"}:
        assert machine.run("health", role, *asked.get(role, ()))[0] == 1, role
    for role in SERVED:
        machine.start(role, *arguments.get(role, ()))
    for role in SERVED:
        probe = partial(machine.is_healthy, role, *asked.get(role, ()))
        assert eventually(probe, 180), role

    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as ui:
        job = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__"}
        params = {
            "selector": {**job, "jobName": "grader_day"},
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": DAY}]},
        }
        asked_for = {"query": LAUNCH, "variables": {"params": params}}
        assert "runId" in ui.post("/graphql", json=asked_for).text

        def status() -> str:
            (run,) = ui.post("/graphql", json={"query": RUNS}).json()["data"]["runsOrError"][
                "results"
            ]
            return str(run["status"])

        assert eventually(lambda: status() in {"SUCCESS", "FAILURE"}, 180)
        assert status() == "SUCCESS"
    with psycopg.connect(machine.settings["DATABASE_URL"]) as db:
        assert db.execute("SELECT count(*) FROM grader").fetchone() == (6,)
    assert list(machine.image.home.glob("*.xlsx"))

    inside = {
        role: psutil.Process(container.pid).children(recursive=True)
        for role, container in machine.containers.items()
    }
    for container in machine.containers.values():
        containers.stop(container)
    began = time.monotonic()
    for role, container in machine.containers.items():
        said, _ = container.communicate(timeout=STOP_SECONDS * 4)
        assert time.monotonic() - began < STOP_SECONDS, (role, said)
        assert container.returncode == 0, (role, said)
    assert [process for found in inside.values() for process in found if process.is_running()] == []


def test_without_its_database_a_role_says_what_it_needs(image: Image) -> None:
    code, said = image.run("daemon", settings={})
    assert code == 1
    assert "DATABASE_URL" in said
    assert "Traceback" not in said
