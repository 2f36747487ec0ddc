"""What a materialized day adds to the catalogue in Dagster's UI."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from grader_pipeline.asset_names import ASSET_NAMES
from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.assets.step4_metrics import metrics as metrics_asset
from grader_pipeline.reports.privacy import may_be_shown
from grader_pipeline_tests.assets.conftest import Run
from grader_pipeline_tests.grader import Grader, attempt, rows

DAYS = ["2023-05-30", "2023-05-31"]
SCHEMA = "dagster/column_schema"
VERSION = "dagster/data_version"

Query = Callable[..., list[tuple[Any, ...]]]

COLUMNS = """SELECT attrelid::regclass::text, attname FROM pg_attribute
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


def test_the_declared_columns_of_each_report_are_in_its_definition_and_in_no_run(
    materializations: list[dg.AssetMaterialization], query: Query
) -> None:
    tables: dict[str, set[str]] = {}
    for table, column in query(COLUMNS):
        tables.setdefault(table, set()).add(column)
    for event in materializations:
        # The UI shows those of the definition if a materialization has none.
        assert SCHEMA not in event.metadata
    for name, report in REPORTS.items():
        described = metrics_asset.metadata_by_key[dg.AssetKey(name)][SCHEMA].columns
        shown = {column.name: (column.type, column.description) for column in described}
        assert shown.keys() == report.columns.keys() <= tables[name]
        for column, (kind, text) in shown.items():
            declared = report.columns[column]
            assert (kind.split()[0], text) == (declared.kind, declared.text)
            assert kind.removeprefix(declared.kind).removeprefix(" of ") == (declared.of or "")


def test_a_report_links_its_lines_and_its_picture_and_stores_neither(
    materializations: list[dg.AssetMaterialization],
) -> None:
    for event in materializations:
        report = REPORTS.get(event.asset_key.to_user_string())
        if report is None or not event.metadata["dagster/row_count"].value:
            continue
        links = {name for name, value in event.metadata.items() if "](/" in str(value.value)}
        assert links == {
            *({"lines"} if may_be_shown(report) else ()),
            *({"picture"} if may_be_shown(report) and report.picture else ()),
        }
        assert all(isinstance(value.value, str | int | float) for value in event.metadata.values())


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
