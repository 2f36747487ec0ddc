"""What a materialized day adds to the catalogue in Dagster's UI."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline_tests.assets.conftest import Run
from grader_pipeline_tests.grader import Grader, attempt, rows

DAYS = ["2023-05-30", "2023-05-31"]
SCHEMA = "dagster/column_schema"
VERSION = "dagster/data_version"

Query = Callable[..., list[tuple[Any, ...]]]

COLUMNS = """SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"""


@pytest.fixture
def materializations(run_day: Run, grader: Grader) -> list[dg.AssetMaterialization]:
    """Those of reports and metrics, when an earlier day is loaded after a later one."""
    for day in reversed(DAYS):
        grader.answer = rows([attempt(f"{day} 08:00:00", verdict=1)])
        result = run_day(day)
        assert result.success
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
        labels = {column.name: column.description for column in columns if column.description}
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
