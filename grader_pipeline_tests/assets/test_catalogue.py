"""What a materialized day adds to the catalogue in Dagster's UI."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.assets.step4_metrics import metrics as metrics_asset
from grader_pipeline_tests.assets.conftest import Run
from grader_pipeline_tests.grader import Grader, attempt, rows

DAYS = ["2023-05-30", "2023-05-31"]
SCHEMA = "dagster/column_schema"
VERSION = "dagster/data_version"

Query = Callable[..., list[tuple[Any, ...]]]

COLUMNS = """SELECT attrelid::regclass::text, attname, format_type(atttypid, NULL) FROM pg_attribute
JOIN pg_class ON pg_class.oid = attrelid AND relnamespace = current_schema()::regnamespace
WHERE attnum > 0 ORDER BY attrelid, attnum"""


@pytest.fixture
def result(run_day: Run, grader: Grader) -> dg.ExecuteInProcessResult:
    """The run of an earlier day that is loaded after a later one."""
    for day in reversed(DAYS):
        grader.answer = rows([attempt(f"{day} 08:00:00", verdict=1)])
        result = run_day(day)
        assert result.success
    return result


@pytest.fixture
def materializations(result: dg.ExecuteInProcessResult) -> list[dg.AssetMaterialization]:
    """Those of reports and metrics."""
    found = result.asset_materializations_for_node("metrics")
    # The later day's reports that look back at the earlier one were computed again.
    assert {event.partition for event in found} == set(DAYS)
    return list(found)


def test_each_report_shows_the_columns_types_and_labels_of_its_table(
    materializations: list[dg.AssetMaterialization], query: Query
) -> None:
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in query(COLUMNS):
        tables.setdefault(table, []).append((column, kind))
    for event in materializations:
        name = event.asset_key.to_user_string()
        if name == "metrics":
            assert SCHEMA not in event.metadata
            continue
        columns = event.metadata[SCHEMA].schema.columns
        assert [(column.name, column.type) for column in columns] == tables[name]
        # Dagster's UI adds the descriptions of the definition to the columns of the table.
        described = metrics_asset.metadata_by_key[event.asset_key][SCHEMA].columns
        labels = {column.name: column.description for column in described}
        assert labels.keys() <= {column.name for column in columns}
        assert labels == {column: label.text for column, label in REPORTS[name].columns.items()}


def test_a_report_has_one_data_version_for_all_days_so_that_days_in_parallel_do_not_mismatch(
    materializations: list[dg.AssetMaterialization],
) -> None:
    versions: dict[str, set[str]] = {}
    for event in materializations:
        if (name := event.asset_key.to_user_string()) in REPORTS:
            versions.setdefault(name, set()).add(event.tags[VERSION])
    assert {name: len(versions[name]) for name in REPORTS} == dict.fromkeys(REPORTS, 1)
    assert len(set.union(*(versions[name] for name in REPORTS))) == len(REPORTS)


def test_metadata_is_stored_with_materializations_only_and_holds_no_picture(
    result: dg.ExecuteInProcessResult,
) -> None:
    materialized = {event.asset_key for event in result.get_asset_materialization_events()}
    outputs = [event for event in result.all_events if event.is_successful_output]
    assert len(outputs) >= len(materialized) >= len(REPORTS) + len(ASSET_NAMES)
    assert not [event for event in outputs if event.step_output_data.metadata]
    for event in result.get_asset_materialization_events():
        assert event.materialization.metadata["dagster/row_count"]
        assert "base64" not in repr(event.materialization.metadata)
