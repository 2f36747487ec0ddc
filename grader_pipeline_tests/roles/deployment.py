"""The roles of a deployment as processes of their own, started as an administrator starts them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from grader_pipeline.local.services import free_port
from grader_pipeline.roles.health import ROLES
from grader_pipeline.roles.instance import LOCATION
from grader_pipeline.settings import variables
from grader_pipeline_tests.stacks import launch

LOOK = """query ($run: ID!) { runOrError(runId: $run) { ... on Run { status
    eventConnection { events { ... on MessageEvent { message } } } } } }"""
LOCATIONS = """{ workspaceOrError { ... on Workspace {
    locationEntries { name locationOrLoadError { __typename } } } } }"""
DAY = "2023-05-31"

INSTALLED = str(Path(sys.executable).parent / "grader-pipeline")
"""The command as pip installs it."""

SERVING = tuple(ROLES)
"""The roles that serve until a signal ends them."""


@dataclass
class Deployment:
    """Starts each role by its command, with nothing but this environment."""

    folder: Path
    environment: Mapping[str, str]
    code_port: int = field(default_factory=free_port)
    ui_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def run(self, *arguments: str, **further: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [INSTALLED, *arguments], env=self._environment(further), cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def start(self, role: str, *arguments: str, **further: str) -> subprocess.Popen[bytes]:
        """Start a role. Its output goes to a file of its name."""
        places = {
            "code-server": ("--port", str(self.code_port)),
            "ui": ("--port", str(self.ui_port)),
        }
        with (self.folder / f"{role}.txt").open("ab") as output:
            process = subprocess.Popen(
                [INSTALLED, role, *places.get(role, ()), *arguments],
                env=self._environment(further), cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.processes[role] = process
        return process

    def said(self, role: str) -> str:
        """All that a role has written."""
        return (self.folder / f"{role}.txt").read_text(errors="replace")

    def health(self, role: str) -> subprocess.CompletedProcess[str]:
        """Ask for the health of a role."""
        return self.run("health", role, "--port", str(self.ui_port))

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask the UI's GraphQL."""
        url = f"http://127.0.0.1:{self.ui_port}/graphql"
        answer = httpx.post(url, json={"query": query, "variables": variables or {}}, timeout=30)
        found: dict[str, Any] = answer.raise_for_status().json()
        assert "errors" not in found, found
        return dict(found["data"])

    def get(self, path: str) -> httpx.Response:
        """Get a page of the UI."""
        return httpx.get(f"http://127.0.0.1:{self.ui_port}{path}", timeout=30)

    def has_code(self) -> bool:
        """Whether the UI has loaded the code location, under its one name."""
        with suppress(httpx.HTTPError):
            loaded = {"name": LOCATION, "locationOrLoadError": {"__typename": "RepositoryLocation"}}
            return bool(self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"] == [loaded])
        return False

    def launch(self, day: str = DAY) -> str:
        """Ask for a run of a day; give its id."""
        return launch(self, day)

    def status(self, run: str) -> str:
        """The status of a run."""
        return str(self.ask(LOOK, {"run": run})["runOrError"]["status"])

    def why(self, run: str) -> str:
        """What a run's events say."""
        events = self.ask(LOOK, {"run": run})["runOrError"]["eventConnection"]["events"]
        return "\n".join(event.get("message", "") for event in events)

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _environment(self, further: Mapping[str, str]) -> dict[str, str]:
        code = {"GRADER_CODE_SERVER": f"127.0.0.1:{self.code_port}"}
        return {**self.environment, **code, **further}


@contextmanager
def deployment(**settings: str) -> Iterator[Deployment]:
    """The processes of an installation with these settings, and a home of their own."""
    names = variables()
    inherited = {name: text for name, text in os.environ.items() if name.upper() not in names}
    with tempfile.TemporaryDirectory(prefix="grader-roles-") as folder:
        home = {"GRADER_HOME": str(Path(folder, "home"))}
        found = Deployment(Path(folder), {**inherited, **home, **settings})
        try:
            yield found
        finally:
            found.end()
