"""The checks of a step are of the materialization that the step has made, looked up once."""

import dagster as dg
import pytest

from grader_pipeline.runs import check_targets

DAYS = dg.StaticPartitionsDefinition(["2023-05-30", "2023-05-31"])
NAMES = ("one", "two", "three")


@dg.asset(partitions_def=DAYS, check_specs=[dg.AssetCheckSpec(name, asset="day") for name in NAMES])
def day() -> dg.MaterializeResult:
    """An asset with checks."""
    return dg.MaterializeResult(
        check_results=[dg.AssetCheckResult(passed=True, check_name=name) for name in NAMES]
    )


def test_all_checks_of_a_step_are_of_its_own_materialization_and_ask_for_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private = "_get_partitioned_target_materialization_data"
    monkeypatch.setattr(dg.AssetCheckResult, private, getattr(dg.AssetCheckResult, private))
    check_targets.look_up_once()
    fetch, asked = dg.DagsterInstance.fetch_materializations, []

    def counted(instance: dg.DagsterInstance, *given: object, **more: object) -> object:
        asked.append(given)
        return fetch(instance, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(dg.DagsterInstance, "fetch_materializations", counted)
    with dg.DagsterInstance.ephemeral() as instance:
        for again in range(1, 3):
            done = dg.materialize([day], instance=instance, partition_key="2023-05-31")
            (made,) = done.get_asset_materialization_events()
            targets = [
                check.target_materialization_data for check in done.get_asset_check_evaluations()
            ]
            assert len(targets) == len(NAMES)
            assert {target.run_id for target in targets if target} == {made.logging_tags["run_id"]}
            assert len(asked) == again
