"""What is older than the settings keep goes, and Dagster shows the same of each asset and day."""

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import AssetCheckKey
from dagster._core.storage.runs.schema import RunsTable
from dagster._utils.schedules import schedule_execution_time_iterator
from upath import UPath

from grader_pipeline import prune, storage
from grader_pipeline.checks import specs
from grader_pipeline.definitions import build_defs
from grader_pipeline.partitions import today
from grader_pipeline.reports.picture_files import picture_files
from grader_pipeline.resources.grader_api import GraderApi
from grader_pipeline_tests.assets.conftest import Run, grader, run_day
from grader_pipeline_tests.grader import Grader, attempt, learner, rows

__all__ = ["grader", "run_day"]

OLD = ["2023-05-30", "2023-05-31"]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A real one, on the disk."""
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        yield instance


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes today a later day, for what is to be removed."""

    def set_today(days: int) -> None:
        monkeypatch.setattr(prune, "today", lambda: today() + dt.timedelta(days=days))

    return set_today


def load(run_day: Run, grader: Grader, *days: str) -> None:
    for day in days:
        grader.answer = rows([attempt(f"{day} 09:00:00", learner(1), 1)])
        assert run_day(day).success


def shown(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What Dagster has of each asset, each day and each check."""
    found: dict[str, Any] = {}
    for key in instance.all_asset_keys():
        days = instance.get_materialized_partitions(key)
        found[key.to_user_string()] = days
        for day in days:
            of_day = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day])
            (record,) = instance.fetch_materializations(of_day, limit=1).records
            event = record.asset_materialization
            assert event is not None
            found[f"{key.to_user_string()} {day}"] = (event.metadata, event.tags)
    keys = [AssetCheckKey(spec.asset_key, spec.name) for spec in specs()]
    last = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    found |= {str(key): (last[key].status, last[key].run_id) for key in last}
    return found


def test_old_runs_go_and_each_asset_and_day_is_shown_as_before(
    run_day: Run, grader: Grader, instance: dg.DagsterInstance, later: Callable[[int], None]
) -> None:
    load(run_day, grader, *OLD, OLD[0])
    runs = [run.run_id for run in instance.get_runs()]
    logs = Path(instance.storage_directory())
    before = shown(instance)
    assert len(before["sheet_report"]) == 2
    assert prune.prune_runs(instance) == 0
    later(89)
    assert prune.prune_runs(instance) == 0
    later(91)
    assert prune.prune_runs(instance, dry_run=True) == 3
    assert len(instance.get_runs()) == 3
    assert prune.prune_runs(instance) == 3
    assert instance.get_runs() == []
    assert shown(instance) == before
    for run_id in runs:
        assert instance.all_logs(run_id) == []
        assert not list(logs.rglob(f"{run_id}/*"))
    assert prune.prune_runs(instance) == 0
    assert shown(instance) == before
    load(run_day, grader, OLD[0])
    assert set(shown(instance)) == set(before)


def test_a_prune_that_ends_between_report_and_removal_reports_nothing_twice(
    run_day: Run, grader: Grader, instance: dg.DagsterInstance, later: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    load(run_day, grader, OLD[0])
    before = shown(instance)
    later(91)
    with monkeypatch.context() as broken:
        broken.setattr(type(instance), "delete_run", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prune.prune_runs(instance)
    assert prune.prune_runs(instance) == 1
    assert shown(instance) == before
    page = instance.fetch_materializations(dg.AssetKey("sheet_report"), limit=9)
    assert len(page.records) == 1


@pytest.mark.parametrize("status", [s for s in dg.DagsterRunStatus if s not in prune.ENDS])
def test_a_run_that_has_not_ended_stays(
    status: dg.DagsterRunStatus, instance: dg.DagsterInstance, later: Callable[[int], None]
) -> None:
    job = build_defs().resolve_job_def("grader_day")
    instance.create_run_for_job(job)
    with instance.run_storage.connect() as db:
        db.execute(RunsTable.update().values(status=status.value))
    later(1000)
    assert prune.prune_runs(instance) == 0
    assert instance.get_runs_count() == 1


@pytest.mark.parametrize("place", ["folder", "memory://prune-{}"])
def test_files_of_old_days_go_and_those_of_kept_days_stay(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place.format(tmp_path.name) if "memory" in place else str(tmp_path / place)
    monkeypatch.setenv("GRADER_STORAGE", where)
    monkeypatch.setenv("GRADER_KEEP_ANSWERS", "10 days")
    assert prune.prune_files() == 0
    first = today() - dt.timedelta(days=10)
    names = []
    for day in (first - dt.timedelta(days=1), first):
        names += [
            [f"raw_attempts/{day}.json.zst", f"kept_answers/{day}/ab.json.zst",
             f"validated_attempts/{day}.parquet", f"pictures/hours/{day}.png"]
        ]  # fmt: skip
    for name in (*names[0], *names[1], "probe", "pictures/hours/notes.txt"):
        (file := UPath(where) / name).parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    assert prune.prune_files(dry_run=True) == 4
    assert (UPath(where) / names[0][0]).exists()
    (UPath(where) / names[0][0]).unlink()
    assert prune.prune_files() == 3
    assert not any((UPath(where) / name).exists() for name in names[0])
    assert all((UPath(where) / name).exists() for name in (*names[1], "probe"))
    assert len(storage.stored_files()) == 3
    assert len(picture_files()) == 1
    assert prune.prune_files() == 0


def test_the_schedule_waits_for_the_mornings_report(
    run_day: Run, grader: Grader, instance: dg.DagsterInstance
) -> None:
    def tick() -> dg.RunRequest | dg.SkipReason:
        moment = dt.datetime(2023, 6, 1, 13, tzinfo=dt.UTC)
        with dg.build_schedule_context(instance, moment) as context:
            found = prune.afternoon(context)
        assert isinstance(found, dg.RunRequest | dg.SkipReason)
        return found

    assert tick() == dg.SkipReason("The report of 2023-05-31 is not out.")
    load(run_day, grader, OLD[1])
    assert isinstance(tick(), dg.RunRequest)
    job = build_defs({"grader_api": GraderApi()}).resolve_job_def("prune")
    assert job.execute_in_process(instance=instance).success


def test_each_day_is_pruned_once_hours_after_its_morning() -> None:
    """Ticks of a month, as Dagster's daemon makes them."""
    start = dt.datetime(2023, 5, 1, tzinfo=dt.UTC).timestamp()
    cron, zone = prune.afternoon.cron_schedule, prune.afternoon.execution_timezone
    ticks = schedule_execution_time_iterator(start, str(cron), zone, True)
    found = [next(ticks) for _ in range(30)]
    assert {later - earlier for earlier, later in pairwise(sorted(found))} == {dt.timedelta(days=1)}
    assert {tick.hour for tick in found} == {16}
