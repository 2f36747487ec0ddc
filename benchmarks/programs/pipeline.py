"""The pipeline itself: the real assets in a real Dagster run, with everything switched on.

``python -m benchmarks.programs.pipeline DAY [--assets ASSET…]``, in a process as the run server
forks it: warm, with one job, one executor, and Dagster's instance in PostgreSQL. It says the
seconds of each of the ``steps``, and the bytes of the day's ``files``.
"""

import argparse
from collections.abc import Sequence

import dagster as dg

from benchmarks.programs import reported
from grader_pipeline.definitions import defs
from grader_pipeline.partitions import school_day
from grader_pipeline.runs.warm_up import warm_up
from grader_pipeline.schedule import day_job
from grader_pipeline.storage import SUFFIXES, day_file


def main() -> None:
    """Load the day."""
    parser = argparse.ArgumentParser()
    parser.add_argument("day")
    parser.add_argument("--assets", nargs="+", default=())
    chosen = parser.parse_args()
    warm_up()
    with dg.DagsterInstance.get() as instance, reported() as said:
        said["steps"] = execute(instance, chosen.day, chosen.assets)
        of_day = school_day(chosen.day).date
        said["files"] = {name: day_file(name, of_day).stat().st_size for name in SUFFIXES}


def execute(instance: dg.DagsterInstance, day: str, assets: Sequence[str] = ()) -> dict[str, float]:
    """Run assets of a day, all of them if none is named; give the seconds of each step."""
    job = defs.resolve_job_def(day_job.name)
    keys = [dg.AssetKey(name) for name in assets] or None
    result = job.execute_in_process(partition_key=day, instance=instance, asset_selection=keys)
    steps = instance.get_run_step_stats(result.run_id)
    return {step.step_key: (step.end_time or 0) - (step.start_time or 0) for step in steps}


if __name__ == "__main__":
    main()
