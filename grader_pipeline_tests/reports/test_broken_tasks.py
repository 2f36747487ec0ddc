"""The report of broken tasks: by hand, against its twin, and how seldom it is wrong.

The one of the benchmarks (``python -m benchmarks broken_tasks``) tries it with whole schools.
"""

import datetime as dt
import random
from decimal import Decimal as D  # noqa: N817 - the numbers are to be seen, not the type
from typing import Any

import pytest

from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import (
    COURSE,
    DAY,
    OK,
    RUN,
    WRONG,
    X,
    Y,
    at,
    only,
)  # fmt: skip
from grader_pipeline_tests.reports.test_twin import by, differing
from grader_pipeline_tests.reports.twin import Attempt
from grader_pipeline_tests.reports.twin_broken_tasks import FELL, UNSOLVED, broken_tasks

YESTERDAY = DAY - dt.timedelta(days=1)


def firsts(who: str, right: int, of: int, task: str = X, *, back: int = 0) -> list[Attempt]:
    """One submit of each of so many learners; the first ones are right."""
    return [
        at(f"{10 + n // 60}:{n % 60:02}", f"{who}{n}", n < right, task, back=back)
        for n in range(of)
    ]


def found(school: School) -> list[dict[str, Any]]:
    school.compute(DAY, "broken_tasks")
    return school.rows("broken_tasks", DAY)


def test_a_task_that_suddenly_nobody_solves_is_found_when_chance_hardly_does_that(
    school: School,
) -> None:
    # Yesterday 20 of 40 learners solved X with their first submit. Nobody has another task, so all
    # are as strong, and half of today's are expected to. With one failure more than seen, 20 right
    # and 21 wrong, the chance that none of five does is 21/41 * 22/42 * 23/43 * 24/44 * 25/45 =
    # 0.0435, and of six 26/46 of that: 0.0246. At most 0.025 is hardly chance.
    school.load(YESTERDAY, firsts("before", 20, 40, back=1))
    school.load(DAY, firsts("today", 0, 5))
    assert not found(school)
    school.load(DAY, firsts("today", 0, 6))
    assert only(found(school), course=COURSE, task=X, kind=FELL) == {
        "learners": 6, "submits": None, "success_share": D("0.0"),
        "learners_before": 40, "success_share_before": D("50.0"), "expected_share": D("50.0"),
        "chance": D("0.0246"),
    }  # fmt: skip


def test_a_share_above_a_tenth_of_the_expected_one_is_no_broken_task(school: School) -> None:
    # Half of 20 are expected to solve it. A tenth of ten is one.
    school.load(YESTERDAY, firsts("before", 50, 100, back=1))
    school.load(DAY, firsts("today", 2, 20))
    assert not found(school)
    school.load(DAY, firsts("today", 1, 20))
    assert only(found(school), kind=FELL)["success_share"] == D("5.0")


@pytest.mark.parametrize(("solved", "before"), [(8, 24), (9, 30), (18, 60), (30, 100)])
def test_a_fully_broken_task_that_a_third_solved_is_found_from_20_learners(
    school: School, solved: int, before: int
) -> None:
    school.load(YESTERDAY, firsts("before", solved, before, back=1))
    school.load(DAY, firsts("today", 0, 20))
    assert only(found(school), kind=FELL)["learners"] == 20


def test_how_often_a_learner_submits_again_changes_nothing(school: School) -> None:
    # Four learners fail a hundred times, as two of those before, who do not count as today's.
    again = [at(f"{12 + n // 60}:{n % 60:02}", f"today{n % 4}", WRONG) for n in range(100)]
    again += [at(f"14:{n:02}", f"before{n % 2}", WRONG) for n in range(60)]
    school.load(YESTERDAY, firsts("before", 30, 40, back=1))
    school.load(DAY, [*firsts("today", 0, 4), *again])
    assert not found(school)
    school.load(DAY, [*firsts("today", 0, 5), *again])
    assert only(found(school), kind=FELL)["learners"] == 5


def test_less_is_expected_of_learners_who_do_worse_in_their_other_tasks(school: School) -> None:
    # Yesterday 20 of 40 solved X. All 40 had solved Y the day before, and none of today's 10 did.
    # Of the 100 first submits 60 are right: each strength gets 2 * 0.6 of 2 further tasks. Those
    # before: (1 + 1.2) / 3 = 0.7333, today's: (0 + 1.2) / 3 = 0.4. Expected is 0.5 * 0.4 / 0.7333,
    # 27.3 %: 10.9 right, 30.1 wrong. The chance that none of ten solves it is the product of
    # (30.09 + j) / (41 + j), j from 0 to 9: 0.0614. Were they as strong, it would be 0.0021.
    school.load(
        YESTERDAY - dt.timedelta(days=1),
        firsts("before", 40, 40, Y, back=2) + firsts("today", 0, 10, Y, back=2),
    )
    school.load(YESTERDAY, firsts("before", 20, 40, back=1))
    school.load(DAY, firsts("today", 0, 10))
    assert not found(school)
    school.load(DAY, firsts("today", 0, 15))
    row = only(found(school), kind=FELL)
    # Five of the 15 have no other task: their strength is the usual one, now 60 of 105. The mean of
    # today's is 0.444, of those before 0.714.
    assert (row["expected_share"], row["chance"]) == (D("31.1"), D("0.0105"))


def test_more_is_never_expected_than_the_share_before(school: School) -> None:
    school.load(
        YESTERDAY - dt.timedelta(days=1),
        firsts("before", 0, 40, Y, back=2) + firsts("today", 9, 9, Y, back=2),
    )
    school.load(YESTERDAY, firsts("before", 20, 40, back=1))
    school.load(DAY, firsts("today", 0, 10))
    assert only(found(school), kind=FELL)["expected_share"] == D("50.0")


def test_fewer_than_20_learners_before_or_none_who_solved_it_say_nothing(school: School) -> None:
    for solved, before, kinds in ((19, 19, []), (0, 40, [UNSOLVED]), (20, 20, [FELL])):
        school.forget()
        school.load(YESTERDAY, firsts("before", solved, before, back=1))
        school.load(DAY, firsts("today", 0, 40))
        assert [row["kind"] for row in found(school)] == kinds


def test_the_days_before_are_27(school: School) -> None:
    for back, flagged in ((27, 1), (28, 0)):
        school.forget()
        school.load(DAY - dt.timedelta(days=back), firsts("before", 20, 20, back=back))
        school.load(DAY, firsts("today", 0, 20))
        assert len(found(school)) == flagged


def test_a_task_that_nobody_has_ever_solved_is_found(school: School) -> None:
    # 120 submits of eight learners in three days.
    for back in (0, 1, 2):
        school.load(DAY - dt.timedelta(days=back), unsolved("learner", 8, 40, back=back))
    assert only(found(school), course=COURSE, task=X, kind=UNSOLVED) == {
        "learners": 8, "submits": 120, "success_share": 0,
        "learners_before": None, "success_share_before": None, "expected_share": None,
        "chance": None,
    }  # fmt: skip


def test_few_learners_or_few_submits_do_not_make_a_task_unsolved(school: School) -> None:
    runs = [at(f"09:0{n}", f"run{n}", RUN) for n in range(9)]
    for learners, submits, flagged in ((4, 100, 0), (5, 14, 0), (5, 15, 1)):
        school.forget()
        school.load(DAY, [*runs, *unsolved("learner", learners, submits)])
        assert len(found(school)) == flagged


def test_unsolved_means_all_stored_days_up_to_the_day(school: School) -> None:
    long_ago, tomorrow = DAY - dt.timedelta(days=50), DAY + dt.timedelta(days=1)
    school.load(DAY, unsolved("learner", 5, 20))
    school.load(tomorrow, [at("10:00", "late", OK, back=-1)])
    assert len(found(school)) == 1
    school.load(long_ago, [at("10:00", "early", OK, back=50)])
    assert not found(school)


def test_submits_of_long_ago_count_while_somebody_tries_the_task(school: School) -> None:
    for back, flagged in ((0, 1), (27, 1), (28, 0)):
        school.forget()
        school.load(DAY - dt.timedelta(days=50), unsolved("learner", 5, 20, back=50))
        school.load(DAY - dt.timedelta(days=back), [at("10:00", "new", RUN, back=back)])
        school.load(DAY, [at("10:00", "other", RUN, Y)])
        assert len(found(school)) == flagged


def test_it_is_what_walking_through_the_attempts_gives(school: School) -> None:
    kinds = set()
    for seed in range(12):
        school.forget()
        known = generated(random.Random(seed))
        for day in sorted({attempt.day for attempt in known}):
            school.load(day, [attempt for attempt in known if attempt.day == day])
        rows = by(found(school), "course", "task", "kind")
        assert not differing(rows, broken_tasks(known, DAY))
        kinds |= {kind for _, _, kind in rows}
    assert kinds == {FELL, UNSOLVED}


def unsolved(who: str, learners: int, submits: int, *, back: int = 0) -> list[Attempt]:
    return [
        at(f"{11 + n // 60}:{n % 60:02}", f"{who}{n % learners}", WRONG, back=back)
        for n in range(submits)
    ]


def generated(draw: random.Random) -> list[Attempt]:
    """Strong and weak learners, tasks that break on the day, tasks that nobody solves."""
    tasks = {f"{n:032x}": draw.choice((0, 0.3, 0.6, 0.9)) for n in range(8)}
    breaks = set(draw.sample(list(tasks), 5))
    attempts = []
    for n in range(60):
        strength = draw.choice((0.5, 1, 1.5))
        for task, easy in tasks.items():
            back, solved = draw.choice((0, 0, 1, 1, 1, 6, 20, 26, 28, 40)), False
            for _ in range(draw.randrange(4)):
                if solved or back < 0:
                    break
                solved = draw.random() < easy * strength and not (task in breaks and back == 0)
                clock = f"{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}"
                attempts.append(at(clock, f"learner{n}", solved, task, back=back))
                back -= draw.choice((0, 0, 1))
    return list({(a.user, a.at): a for a in attempts}.values())
