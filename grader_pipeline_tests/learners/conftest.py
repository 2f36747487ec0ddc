"""A school in a database of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from grader_pipeline_tests.assets.conftest import grader
from grader_pipeline_tests.cli.conftest import run
from grader_pipeline_tests.grader import Grader
from grader_pipeline_tests.learners.world import World

__all__ = ["grader", "run"]


@pytest.fixture
def new_world(
    grader: Grader, postgres_18: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., World]]:
    """Makes a world, which the settings then name."""
    with ExitStack() as stack:

        def make(name: str, *, on_disk: bool = False) -> World:
            with psycopg.connect(postgres_18, autocommit=True) as admin:
                database = f"test_{name}_{abs(hash(tmp_path)):x}"
                admin.execute(f"CREATE DATABASE {database}".encode())
            stack.callback(_drop, postgres_18, database)
            url = postgres_18.replace("/postgres?", f"/{database}?")
            monkeypatch.setenv("DATABASE_URL", url)
            monkeypatch.setenv("GRADER_HOME", str(tmp_path / name))
            monkeypatch.setenv("GRADER_MIN_VOLUME_SHARE", "0")
            new = dg.DagsterInstance.ephemeral
            if on_disk:
                (dagster := tmp_path / name / "dagster").mkdir(parents=True)
                new = partial(dg.DagsterInstance.local_temp, str(dagster))
            instance = stack.enter_context(new())
            return World(grader, instance, url)

        yield make


@pytest.fixture
def world(new_world: Callable[[str], World]) -> World:
    return new_world("world")


def _drop(server: str, database: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())
