"""The pipeline itself: the real assets in a real Dagster run, with everything switched on.

Days are given as arguments and run one after the other, in the process of a run worker: one job,
one executor, Dagster's instance in PostgreSQL. ``--assets`` names some of the assets. Of each run
it says ``wall``, ``own``, what the assets themselves say they took, and that by ``steps``.
"""

import argparse
import time
from typing import cast

import dagster as dg

from benchmarks.programs import reported
from grader_pipeline.definitions import defs


def main() -> None:
    """Load the days."""
    parser = argparse.ArgumentParser()
    parser.add_argument("days", nargs="+")
    parser.add_argument("--assets", nargs="+", default=None)
    chosen = parser.parse_args()
    job = defs.resolve_job_def("grader_day")
    keys = chosen.assets and [dg.AssetKey(name) for name in chosen.assets]
    with dg.DagsterInstance.get() as instance, reported(runs=[]) as said:
        for day in chosen.days:
            begun = time.perf_counter()
            result = job.execute_in_process(
                partition_key=day, instance=instance, asset_selection=keys
            )
            wall = time.perf_counter() - begun
            own: dict[str, float] = {}
            for event in result.get_asset_materialization_events():
                # A step that makes several assets says of the last what all of them took.
                if seconds := event.materialization.metadata.get("seconds"):
                    step = event.step_key or ""
                    own[step] = max(own.get(step, 0), float(cast("float", seconds.value)))
            said["runs"].append({"day": day, "wall": wall, "own": sum(own.values()), "steps": own})


if __name__ == "__main__":
    main()
