"""A day that blocking checks stop, and run config `accept_day: true` lets pass."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from grader_pipeline.asset_names import VALIDATED_ATTEMPTS
from grader_pipeline.checks import specs
from grader_pipeline.settings import Settings
from grader_pipeline_tests.assets.conftest import Run, failure_of
from grader_pipeline_tests.grader import Grader, attempt, rows

DAY, NEXT = "2023-05-31", "2023-06-01"
ACCEPT = {"ops": {VALIDATED_ATTEMPTS: {"config": {"accept_day": True}}}}
BLOCKED = {
    "day_volume": ([], "0 attempts on a Wednesday"),
    "rejected_share": ([attempt(), *[attempt("now")] * 6], "6 of 7 elements were rejected."),
}
"""For each blocking check of validated_attempts: an answer that it stops, and what it finds."""

Query = Callable[..., list[tuple[Any, ...]]]


def failed_checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {e.check_name: e for e in result.get_asset_check_evaluations() if not e.passed}


def metadata(result: dg.ExecuteInProcessResult) -> Any:
    (done,) = result.asset_materializations_for_node(VALIDATED_ATTEMPTS)
    return done.metadata


def test_each_blocking_check_of_a_validated_day_has_a_case_here():
    assert set(BLOCKED) == {spec.name for spec in specs(VALIDATED_ATTEMPTS) if spec.blocking}


@pytest.mark.parametrize("check", BLOCKED)
def test_an_accepted_day_is_loaded_with_a_warning_of_what_was_found(
    run_day: Run, grader: Grader, query: Query, check: str
) -> None:
    elements, found = BLOCKED[check]
    grader.answer = rows(elements)
    result = run_day(DAY, config=ACCEPT)
    assert result.success
    evaluation = failed_checks(result)[check]
    assert evaluation.severity == dg.AssetCheckSeverity.WARN
    said = evaluation.description or ""
    assert found in said
    assert "Run config `accept_day: true` let the day pass." in said
    assert found in metadata(result)["let pass by accept_day"].value[check]
    lines = (Settings().logs_dir / "app_log.txt").read_text().splitlines()
    (line,) = {line.partition(" - ")[2] for line in lines if f"check {check} failed" in line}
    assert line.startswith(f"WARNING: validated_attempts {DAY}: check {check} failed: {found}")
    assert query("SELECT received, rejected FROM grader_load") == [
        (len(elements), len(elements[1:]))
    ]


@pytest.mark.parametrize("check", BLOCKED)
def test_a_stopped_day_says_how_to_accept_it(run_day: Run, grader: Grader, check: str) -> None:
    grader.answer = rows(BLOCKED[check][0])
    result = run_day(DAY)
    assert check in failure_of(result)
    evaluation = failed_checks(result)[check]
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert "accept_day: true" in (evaluation.description or "")
    assert "let pass by accept_day" not in metadata(result)


def test_only_the_run_with_the_config_is_let_pass(run_day: Run, grader: Grader) -> None:
    grader.answer = rows([])
    assert run_day(DAY, config=ACCEPT).success
    for day in (DAY, NEXT):
        assert "day_volume" in failure_of(run_day(day))


def test_accepting_a_day_that_no_check_stops_changes_nothing(run_day: Run, grader: Grader) -> None:
    grader.answer = rows([attempt()])
    result = run_day(DAY, config=ACCEPT)
    assert result.success
    assert not failed_checks(result)
    assert "let pass by accept_day" not in metadata(result)
