"""An excluded learner is in no report; the attempts stay, and can be in the reports again."""

from collections.abc import Callable
from typing import Any

import pytest

from grader_pipeline.asset_names import METRICS, SHEET_REPORT
from grader_pipeline_tests.learners.world import GONE, World, days, school, without

Run = Callable[..., Any]


@pytest.mark.timeout(600)
def test_reports_are_those_of_a_world_without_an_excluded_learner_until_included_again(
    new_world: Callable[[str], World], run: Run
) -> None:
    elements = school(4)
    # An attempt of another learner whose sourcedid names this one stays.
    theirs = {
        date: [e for e in found if not (e and e["lti_user_id"] == GONE)]
        for date, found in elements.items()
    }
    twin = new_world("twin")
    twin.load(theirs)
    twin.refresh()
    without_health = {name: rows for name, rows in twin.reports().items() if name != "data_health"}
    world = new_world("world")
    world.load(elements)
    world.refresh()
    before, attempts = world.reports(), world.ask("SELECT * FROM grader ORDER BY id")
    done = run("learner", "exclude", GONE)
    assert done.returncode == 0, done.stderr
    assert "attempts on 4 days" in done.stdout
    assert GONE not in done.stdout + done.stderr
    assert world.reports() | without_health == world.reports()
    assert world.ask("SELECT * FROM grader ORDER BY id") == attempts
    # A new load of a day, and the first one of another, leave the learner out too.
    world.load(dict(list(elements.items())[:1]))
    assert world.run(days(1)[0], [METRICS, SHEET_REPORT]).success
    assert world.reports() | without_health == world.reports()
    assert run("learner", "include", GONE).returncode == 0
    assert world.reports() == before


def test_a_day_loaded_first_while_the_learner_is_excluded_is_without_them(
    new_world: Callable[[str], World], run: Run
) -> None:
    world = new_world("world")
    elements = school(2)
    first, second = days(2)
    world.load({first: elements[first]})
    assert run("learner", "exclude", GONE).returncode == 0
    world.load({second: elements[second]})
    assert not world.ask(
        "SELECT FROM engagement_day JOIN learner ON learner.id = learner WHERE user_id = %s", GONE
    )
    result = world.run(second, ["grader_table", METRICS, SHEET_REPORT])
    checks = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert checks["table_was_changed"]
    assert checks["reports_agree"]
    assert checks["accounting"]


def test_excluding_twice_and_including_somebody_who_is_not_excluded_change_nothing(
    new_world: Callable[[str], World], run: Run
) -> None:
    world = new_world("world")
    world.load(without(school(1)))
    unknown = run("learner", "exclude", "nobody")
    assert unknown.returncode == 0
    assert "No attempt of this id is stored" in unknown.stdout
    again = run("learner", "exclude", "nobody")
    assert "excluded already" in again.stdout
    assert run("learner", "include", GONE).returncode == 1
    assert len(world.ask("SELECT FROM audit_log")) == 1
