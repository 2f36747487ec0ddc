"""A day through the real chain: real assets, runs and database, and a grader for the test."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import psycopg
import pytest

from grader_pipeline.definitions import build_defs
from grader_pipeline.resources.grader_api import GraderApi
from grader_pipeline_tests.grader import Grader, running

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def grader(monkeypatch: pytest.MonkeyPatch) -> Iterator[Grader]:
    with running() as server:
        monkeypatch.setenv("GRADER_API_URL", server.url)
        monkeypatch.setenv("GRADER_API_CLIENT", "school")
        monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key-that-nobody-may-see")
        yield server


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's records of the test's runs."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def run_day(grader: Grader, database_url: str, instance: dg.DagsterInstance) -> Run:
    """Run a day: ``run_day("2023-05-31", selection=[...], config={...})``."""
    defs = build_defs({"grader_api": GraderApi(attempts=2, pause_seconds=0.01)})
    job = defs.resolve_job_def("grader_day")

    def run(
        day: str, *, selection: list[str] | None = None, config: dict[str, Any] | None = None
    ) -> dg.ExecuteInProcessResult:
        return job.execute_in_process(
            partition_key=day,
            instance=instance,
            asset_selection=selection and [dg.AssetKey(name) for name in selection],
            run_config=config,
            raise_on_error=False,
        )

    return run


@pytest.fixture
def query(database_url: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Ask the database without the pipeline's code."""

    def ask(text: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(database_url) as db:
            return db.execute(text, parameters).fetchall()

    return ask


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    """What a failed run says, with every cause."""
    assert not result.success
    return "\n".join(
        event.step_failure_data.error_display_string or ""
        for event in result.all_events
        if event.is_step_failure
    )
