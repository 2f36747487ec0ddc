"""Which materialization a check is of, looked up once a step. Dagster has no setting for it."""

from typing import Any, cast
from weakref import WeakKeyDictionary

import dagster as dg


def look_up_once() -> None:
    """Let the checks of a step share the lookup of the materialization that they are of.

    Dagster asks its database for each check, though a step has materialized one asset of one day:
    15 times a run, three questions each. Worth: 3 times.
    """
    check = cast("Any", dg.AssetCheckResult)
    look_up = check._get_partitioned_target_materialization_data
    found: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()

    def once(result: dg.AssetCheckResult, step: Any, asset: dg.AssetKey, day: str) -> Any:  # noqa: ANN401 (as Dagster's own)
        known = found.setdefault(step, {})
        # Before the asset is materialized there is none, or that of an earlier run.
        if known.get(asset) is None or known[asset].run_id != step.run_id:
            known[asset] = look_up(result, step, asset, day)
        return known[asset]

    check._get_partitioned_target_materialization_data = once
