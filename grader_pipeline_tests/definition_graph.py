"""The definition graph as YAML: what a reviewer reads in the diff of snapshots/definitions.yaml.

``python definition_graph.py`` prints it for the settings of its environment.
"""

import sys
from typing import Any

import dagster as dg
import yaml

from grader_pipeline.definitions import defs


def graph(defs: dg.Definitions) -> dict[str, Any]:
    """All that the code location has, without descriptions and without Dagster's own job."""
    assets = defs.resolve_asset_graph()
    jobs = [job for job in defs.resolve_all_job_defs() if not job.name.startswith("__")]
    return {
        "assets": {
            key.to_user_string(): asset(assets, key) for key in assets.toposorted_asset_keys
        },
        "steps": {
            step.op.name: step_of(step)
            for step in sorted(assets.assets_defs, key=lambda step: step.op.name)
        },
        "jobs": {
            job.name: {
                "assets": names(job.asset_layer.executable_asset_keys),
                "executor": job.executor_def.name,
                "partitions": partitions(job.partitions_def),
            }
            for job in jobs
        },
        "schedules": {
            schedule.name: {
                "job": schedule.job_name,
                "cron": schedule.cron_schedule,
                "timezone": schedule.execution_timezone,
                "default": schedule.default_status.value,
            }
            for schedule in defs.schedules or []
        },
        "sensors": {
            sensor.name: {
                "seconds": sensor.minimum_interval_seconds,
                "default": sensor.default_status.value,
                "resources": sorted(sensor.required_resource_keys),
            }
            for sensor in defs.sensors or []
        },
        "resources": {
            name: {type(resource).__name__: sorted(type(resource).model_fields)}
            for name, resource in (defs.resources or {}).items()
        },
        "executor": defs.executor.name,
    }


def asset(assets: Any, key: dg.AssetKey) -> dict[str, Any]:
    node = assets.get(key)
    checks = [assets.get(check) for check in sorted(node.check_keys)]
    found = {
        "group": node.group_name,
        "deps": names(node.parent_keys),
        "kinds": sorted(node.kinds),
        "table": node.metadata.get("dagster/table_name"),
        "partitions": partitions(node.partitions_def),
        "freshness": node.freshness_policy and type(node.freshness_policy).__name__,
        "checks": {check.key.name: "blocking" if check.blocking else "warning" for check in checks},
    }
    return {name: value for name, value in found.items() if value}


def step_of(step: dg.AssetsDefinition) -> dict[str, Any]:
    found = {
        "assets": names(step.keys),
        "subset": step.can_subset,
        "pool": step.op.pool,
        # Dagster adds its own IO manager to steps that hand over no file.
        "resources": sorted(step.required_resource_keys - {"io_manager"}),
        "hooks": sorted(hook.name for hook in step.hook_defs),
    }
    return {name: value for name, value in found.items() if value}


def partitions(days: Any) -> str | None:
    return days and f"{days.schedule_type.value} from {days.start:%Y-%m-%d}, {days.timezone}"


def names(keys: Any) -> list[str]:
    return sorted(key.to_user_string() for key in keys)


if __name__ == "__main__":
    yaml.safe_dump(graph(defs), sys.stdout, sort_keys=False, default_flow_style=None, width=100)
