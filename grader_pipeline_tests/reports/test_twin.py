"""The SQL against a plain-Python twin over generated days, in whatever order they are loaded."""

import datetime as dt
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports import twin, twin_learners
from grader_pipeline_tests.reports.conftest import REPORTS, School
from grader_pipeline_tests.reports.twin import DAY, MOSCOW, Attempt
from grader_pipeline_tests.reports.twin_weeks import weeks

LAST = dt.date(2023, 5, 31)
COURSES = ("course-v1:S+A+1", "course-v1:S+B+1")
LEARNERS = [learner(name) for name in "uvwxyz"]
TASKS = ("a" * 32, "b" * 32, "lab_one")
# Both spellings of Open edX, and an attempt whose course and task cannot be read.
FORMS = ("plain", "plain", "encoded", "unread")
UNREADABLE = " of "
# Every kind that the API sends: a submit without verdict and a run with one are rare, but there.
KINDS = (
    ("run", None), ("run", None), ("submit", False), ("submit", False), ("submit", True),
    ("submit", None), ("run", False), ("run", True),
)  # fmt: skip
# Days whose distance lies on both sides of every border that a report knows: 1, 7, 14, 28 days.
# Those 3 and 10 days back are Sundays.
BACK = (0, 1, 3, 6, 7, 8, 10, 13, 14, 27, 28, 40)

_minutes = st.one_of(st.integers(0, 1439), st.sampled_from((0, 1, 29, 30, 31, 1410, 1438, 1439)))


@st.composite
def _attempts(draw: Any, back: int) -> list[Attempt]:
    """A day's attempts: few learners and tasks, so that they meet again on other days."""
    midnight = dt.datetime.combine(LAST - back * DAY, dt.time()) - MOSCOW
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(LEARNERS), _minutes, st.sampled_from(KINDS),
                st.sampled_from(TASKS), st.sampled_from(COURSES), st.sampled_from(FORMS),
            ),
            max_size=18, unique_by=lambda row: row[:2],
        )
    )  # fmt: skip
    return [
        _attempt(form, user, midnight + dt.timedelta(minutes=minute), verdict, task, course, kind)
        for user, minute, (kind, verdict), task, course, form in drawn
    ]


def _attempt(
    form: str, user: str, at: dt.datetime, verdict: bool | None, task: str, course: str, kind: Any
) -> Attempt:
    if form == "unread":
        text = f"{course}:{task}{UNREADABLE}{user}"
        return Attempt(user, at, verdict, None, None, text=text, kind=kind)
    text = f"{quote(course)}:{quote(f'localhost:8000-{task}')}:{user}"
    given = text if form == "encoded" else None
    return Attempt(user, at, verdict, task, course, text=given, kind=kind)


@st.composite
def _days(draw: Any) -> dict[dt.date, list[Attempt]]:
    """Loaded days in the order of their loading, the last day among them."""
    others = draw(st.lists(st.sampled_from(BACK[1:]), max_size=5, unique=True))
    order = draw(st.permutations([0, *others]))
    return {LAST - back * DAY: draw(_attempts(back)) for back in order}


def by(rows: list[dict[str, Any]], *key: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {
        tuple(row[name] for name in key): {
            name: value for name, value in row.items() if name not in {*key, "report_date"}
        }
        for row in rows
    }


def differing(rows: Any, expected: Any) -> list[Any]:
    """Rows that only one side has, and cells in which they differ."""
    cells = [
        (key, name, row[name], expected[key].get(name, "no such column"))
        for key, row in rows.items() if key in expected
        for name in row if name not in expected[key] or row[name] != expected[key][name]
    ]  # fmt: skip
    return [*cells, *(rows.keys() ^ expected.keys())]


@settings(
    max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(days=_days())
def test_every_column_is_what_walking_through_the_attempts_gives(
    school: School, days: dict[dt.date, list[Attempt]]
) -> None:
    school.forget()
    for day, attempts in days.items():
        school.load(day, attempts)
        school.compute(day)
    known = [attempt for attempts in days.values() for attempt in attempts]
    loaded = set(days)
    for day in days:
        stored = {name: school.rows(name, day) for name in REPORTS}
        assert not disagreeing(stored, known, loaded, day)
        cells = [
            str(cell)
            for name, rows in stored.items()
            for row in rows
            for column, cell in row.items()
            if column != "label" and not (name in {"courses", "weeks"} and cell == twin.UNREAD)
        ]
        assert not [cell for cell in cells if UNREADABLE in cell or "распозна" in cell]


def disagreeing(
    stored: dict[str, list[dict[str, Any]]],
    attempts: list[Attempt],
    loaded: set[dt.date],
    day: dt.date,
) -> list[Any]:
    """Where the stored rows of a day's reports are not what the attempts give, or each other."""
    about = (attempts, loaded, day)
    metrics, health = (
        {row["metric"]: row for row in stored[name]} for name in ("daily_metrics", "data_health")
    )
    values = {name: row["value"] for name, row in metrics.items()}
    texts = {name: row["text"] for name, row in metrics.items() if row["text"]}
    of_attempts = twin.data_health(*about)
    states = twin_learners.learner_states(*about)
    needing = {k: row for k, row in states.items() if any(
        row[name] for name in row if name.startswith("is_"))}  # fmt: skip
    attention = by(stored["attention"], "course", "place")
    for row in attention.values():
        del row["state"]
    pairs = [
        ({day: values}, {day: twin.daily_metrics(*about)}),
        ({day: texts}, {day: twin.texts(*about)}),
        (
            {day: {name: health[name]["value"] or health[name]["text"] for name in of_attempts}},
            {day: {name: value or None for name, value in of_attempts.items()}},
        ),
        (by(stored["hours"], "hour"), twin.hours(attempts, day)),
        (by(stored["courses"], "course"), twin.courses(*about)),
        (by(stored["weeks"], "course"), weeks(*about)),
        (by(stored["tasks"], "course", "task", "period"), twin_learners.tasks(*about)),
        (by(stored["learners"], "course", "user_id"), needing),
        (attention, attention_lines(states, twin.missing(loaded, day, 14))),
    ]
    return [
        *(cell for rows, expected in pairs for cell in differing(rows, expected)),
        *unequal_sums(stored),
    ]


def unequal_sums(stored: dict[str, list[dict[str, Any]]]) -> list[Any]:
    """Sums of courses, hours and tasks that are not the day's totals.

    A task's attempts are those that could be read. The others are a line of the courses.
    """
    totals = {row["metric"]: row["value"] for row in stored["daily_metrics"]}
    totals["successes"] = totals["successful_submits"]
    unread = [row for row in stored["courses"] if row["course"] == twin.UNREAD]
    parts = {
        "courses": stored["courses"],
        "hours": stored["hours"],
        "tasks and unread": [*(r for r in stored["tasks"] if r["period"] == "день"), *unread],
    }
    found = [
        (name, column, sum(row[column] for row in rows), totals[column])
        for name, rows in parts.items()
        for column in ("attempts", "runs", "submits", "successes", "wrong_submits")
        if all(column in row for row in rows)
    ]
    wrong = totals["submits"] - totals["successes"], totals["wrong_submits"]
    return [
        *(each for each in found if each[2] != each[3]),
        *([("successes and wrong submits", wrong)] if wrong[0] != wrong[1] else []),
    ]


def attention_lines(states: twin.Rows, reason: str | None) -> twin.Rows:
    flags = ("is_stuck", "is_struggling", "is_disengaging", "is_run_only")
    found = {}
    for course in {course for course, _ in states}:
        mine = [row for key, row in states.items() if key[0] == course]
        for place, flag in enumerate(flags, start=1):
            missing = reason if flag == "is_disengaging" else None
            count = None if missing else sum(row[flag] for row in mine)
            found[course, place] = {
                "learners": count,
                "active_learners": len(mine),
                "share": None if count is None else twin.share(count, len(mine)),
                "reason": missing,
            }
    return found
