"""Where figures come from: the attempts behind each cell, and their elements as the API sent them.

A week goes through the real chain: the grader's server, storage, the database. Some days are
fetched again, with fewer rows and other values. Each cell is then computed once more by the twin,
out of the traced elements alone.
"""

import ast
import datetime as dt
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from grader_pipeline import storage
from grader_pipeline.attempts.schema import Reason
from grader_pipeline.reports.figure import Figure, find_figure
from grader_pipeline.reports.trace import Traced, trace
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline_tests.assets.conftest import Run, grader, instance, run_day
from grader_pipeline_tests.grader import Grader, body, learner
from grader_pipeline_tests.reports import twin, twin_learners, twin_weeks
from grader_pipeline_tests.reports.conftest import REPORTS, School
from grader_pipeline_tests.reports.test_twin import attention_lines
from grader_pipeline_tests.reports.twin import DAY, MOSCOW, Attempt
from grader_pipeline_tests.reports.twin_broken_tasks import FELL, UNSOLVED, broken_tasks

__all__ = ["grader", "instance", "run_day"]

LAST = dt.date(2023, 5, 31)
WEEK = [LAST - back * DAY for back in range(6, -1, -1)]
COURSES = ("course-v1:S+A+1", "course-v1:S+B+1")
TASKS = ("a" * 32, "b" * 32, "lab_one")
BROKEN, NEVER_SOLVED = "c" * 32, "d" * 32
TO_THE_TABLE = ["raw_attempts", "validated_attempts", "grader_table"]
UPDATE = {"ops": {"grader_table": {"config": {"on_conflict": "update"}}}}
Element = dict[str, Any] | None


def element(attempt: Attempt, **fields: Any) -> dict[str, Any]:
    passback = {"oauth_consumer_key": "", "lis_result_sourcedid": attempt.sourcedid}
    if attempt.url:
        passback["lis_outcome_service_url"] = attempt.url
    return {
        "lti_user_id": attempt.user,
        "passback_params": repr(passback),
        "is_correct": None if attempt.verdict is None else int(attempt.verdict),
        "attempt_type": attempt.type,
        "created_at": str(attempt.at),
        **fields,
    }


def attempt_of(text: str) -> Attempt:
    """The attempt that an element is, read by hand."""
    found = json.loads(text)
    passback = ast.literal_eval(found["passback_params"])
    sourcedid = passback["lis_result_sourcedid"]
    course, _, block = sourcedid.rpartition(":")[0].partition(":lms.example.org-")
    return Attempt(
        found["lti_user_id"],
        dt.datetime.fromisoformat(found["created_at"]),
        None if found["is_correct"] is None else bool(found["is_correct"]),
        block or None,
        course if block else None,
        passback.get("lis_outcome_service_url"),
        sourcedid,
        found["attempt_type"],
    )


def generated(day: dt.date, chance: random.Random) -> list[Element]:
    """A day's answer: attempts of nine learners, those at the broken tasks, and what is refused."""
    midnight = dt.datetime.combine(day, dt.time()) - MOSCOW
    seconds = sorted(chance.sample(range(24 * 60 * 60), 60))
    attempts = []
    for second in seconds:
        user = learner(chance.randrange(9))
        kind, verdict = chance.choice(
            [("run", None), ("run", None), ("submit", False), ("submit", False), ("submit", True),
             ("submit", None)]
        )  # fmt: skip
        attempt = Attempt(
            user, midnight + dt.timedelta(seconds=second), verdict,
            chance.choice(TASKS), chance.choice(COURSES), kind=kind,
            url=chance.choice(("https://lms.example.org/grade", None)),
        )  # fmt: skip
        if chance.random() < 0.1:
            attempt = replace(attempt, task=None, course=None, text=f"nothing of {user}")
        attempts.append(attempt)
    # Two learners who try one task again and again, and never solve it.
    attempts += [
        Attempt(learner(n), midnight + dt.timedelta(hours=12, minutes=n, microseconds=at), False)
        for n in (1, 2)
        for at in range(3)
    ]
    attempts += of_broken_tasks(day, midnight)
    elements: list[Element] = [element(attempt) for attempt in attempts]
    return [
        *elements[:9],
        element(attempts[3]),
        element(attempts[4], is_correct=1, attempt_type="submit"),
        None,
        element(attempts[5], created_at="yesterday", lti_user_id=""),
        *elements[9:],
        element(attempts[6], created_at="yesterday"),
    ]


def of_broken_tasks(day: dt.date, midnight: dt.datetime) -> list[Attempt]:
    """Attempts at a task that nobody solves on the last day, and at one that nobody ever solves.

    Of 40 learners, half have solved the first one. They have solved another task before, which
    most learners of the last day have not. So less is expected of these.
    """

    def firsts(who: str, right: int, of: int, task: str, hour: int) -> list[Attempt]:
        return [
            Attempt(
                learner(f"{who}{n}"), midnight + dt.timedelta(hours=hour, minutes=n), n < right,
                task, COURSES[0],
            )
            for n in range(of)
        ]  # fmt: skip

    attempts = {
        WEEK[1]: firsts("early", 40, 40, TASKS[0], 9) + firsts("late", 0, 10, TASKS[0], 10),
        WEEK[3]: firsts("early", 20, 40, BROKEN, 9),
        # Who submits again counts once.
        LAST: firsts("late", 0, 15, BROKEN, 9) + firsts("late", 0, 4, BROKEN, 10),
    }.get(day, [])
    return attempts + firsts("stuck", 0, 5, NEVER_SOLVED, 14)


@dataclass
class Week:
    """What was loaded: each day's answers, the last one last."""

    school: School
    run_day: Run
    grader: Grader
    answers: dict[dt.date, list[list[Element]]] = field(default_factory=dict)

    def load(self, day: dt.date, answer: list[Element], config: Any = None) -> None:
        self.answers.setdefault(day, []).append(answer)
        self.grader.answer = body(json.dumps(answer).encode())
        assert self.run_day(day.isoformat(), selection=TO_THE_TABLE, config=config).success


@pytest.fixture
def week(run_day: Run, grader: Grader, database_url: str) -> Iterator[Week]:
    """Seven days. Two of them are fetched again: in one, stored attempts keep their values."""
    postgres, chance = Postgres(), random.Random(13)
    week = Week(School(postgres), run_day, grader)
    for day in WEEK:
        week.load(day, generated(day, chance))
    for day, config in ((WEEK[2], None), (WEEK[-1], UPDATE)):
        (first,) = week.answers[day]
        week.load(day, _again(first), config)
        week.load(day, first[::2])
    for day in WEEK:
        week.school.compute(day)
    yield week
    postgres.close()


def _again(answer: list[Element]) -> list[Element]:
    """The same day with fewer elements, and other verdicts of some."""
    fewer = [found for place, found in enumerate(answer) if place % 3]
    submits = [place for place, found in enumerate(fewer) if found and found["is_correct"] == 0]
    for place in submits[:5]:
        fewer[place] = {**(fewer[place] or {}), "is_correct": 1}
    return fewer


def hash_of(answer: list[Element]) -> str:
    return hashlib.sha256(json.dumps(answer).encode()).hexdigest()


def figures(week: Week, db: Connection, day: dt.date) -> Iterator[Figure]:
    """The figure of each cell of the day's reports."""
    for report in REPORTS.values():
        listed = {column.listed_in for column in report.columns.values()}
        # Who a line is about is no figure.
        names = {"report_date", "place", "label", "metric", *KEYS.get(report.name, ()), *listed}
        for line in week.school.rows(report.name, day):
            if report.plot:
                yield find_figure(db, REPORTS, day, [line["metric"]], {})
                continue
            keys = {name: str(line[name]) for name in KEYS[report.name]}
            first, *others = sorted(line.keys() - names)
            # A line is found in the same way for each of its columns.
            found = find_figure(db, REPORTS, day, [report.name, first], keys)
            yield found
            yield from (replace(found, name=column, column=column) for column in others)


KEYS = {
    "attention": ("course", "state"),
    "broken_tasks": ("course", "task", "kind"),
    "courses": ("course",),
    "hours": ("hour",),
    "learners": ("course", "user_id"),
    "tasks": ("course", "task", "period"),
    "weeks": ("course",),
}


def by_hand(report: str, day: dt.date, attempts: list[Attempt]) -> Callable[..., Any]:
    """The report by its definition, of these attempts: a function of line and column."""
    mine, loaded = attempts, set(WEEK)
    if report == "daily_metrics":
        values, texts = (part(mine, loaded, day) for part in (twin.daily_metrics, twin.texts))
        seen = {name: texts.get(name) if value is None else value for name, value in values.items()}
        return lambda line, _: seen[line["metric"]]
    if report == "data_health":
        lines = twin.data_health(mine, loaded, day)
        return lambda line, _: lines[line["metric"]]
    found = {
        "attention": lambda: attention_lines(
            twin_learners.learner_states(mine, loaded, day), twin.missing(loaded, day, 14)
        ),
        "broken_tasks": lambda: broken_tasks(mine, day),
        "courses": lambda: twin.courses(mine, loaded, day),
        "hours": lambda: twin.hours(mine, day),
        "learners": lambda: twin_learners.learner_states(mine, loaded, day),
        "tasks": lambda: twin_learners.tasks(mine, loaded, day),
        "weeks": lambda: twin_weeks.weeks(mine, loaded, day),
    }[report]()
    key = {"attention": ("course", "place")}.get(report, KEYS[report])
    return lambda line, column: found.get(tuple(line[name] for name in key), {}).get(column)


def of_elements(week: Week, day: dt.date, name: str, found: list[Traced]) -> Any:
    duplicates = [t for t in found if t.reasons == (Reason.DUPLICATE_KEY.value,)]
    rejected = [t for t in found if t.reasons and t not in duplicates]
    stored = [attempt_of(t.text or "") for t in found if not t.reasons]
    earlier = [e for answer in week.answers[day][:-1] for e in answer if e]
    reason = name.removeprefix("rejected_")
    if reason in {word.value for word in Reason}:
        return len([t for t in found if reason in t.reasons])
    table = {
        (row["user_id"], row["created_at"]): row["is_correct"]
        for row in week.school.ask("SELECT user_id, created_at, is_correct FROM grader")
    }
    assert earlier or len(week.answers[day]) == 1
    return {
        "received": len(found),
        "stored": len(stored),
        "duplicates": len(duplicates),
        "rejected": len(rejected),
        "rejected_share": twin.rounded(twin.Fraction(100 * len(rejected), len(found)), 2),
        "differing": sum(table[a.user, a.at] != a.verdict for a in stored),
        # The last load of no day has updated any.
        "updated": 0,
    }[name]


@pytest.mark.timeout(600)
def test_every_cell_is_its_definition_applied_to_the_traced_elements(week: Week) -> None:
    known: dict[str, list[Traced]] = {}
    computed: dict[tuple[str, str], Callable[..., Any]] = {}
    wrong, seen, kinds = [], set(), set()
    with week.school.postgres.transaction() as db:
        for figure in (figure for day in WEEK for figure in figures(week, db, day)):
            query = f"{figure.behind.period} {figure.query.as_string(db)}"
            if query not in known:
                known[query] = list(trace(db, figure))
            found = known[query]
            if figure.behind.period in {"elements", "rejected"}:
                expected = of_elements(week, figure.date, figure.name, found)
            else:
                name = figure.report.name
                if (name, query) not in computed:
                    attempts = [attempt_of(traced.text or "") for traced in found]
                    computed[name, query] = by_hand(name, figure.date, attempts)
                expected = computed[name, query](figure.line, figure.column)
            # Where the twin has no line, no attempt is behind the figure: it is 0 or empty.
            if figure.value != expected and (figure.value or expected or found):
                wrong.append((figure.date, figure.name, figure.line, expected, len(found)))
            seen.add(figure.report.name)
            kinds.add(figure.line.get("kind"))
    assert not wrong
    assert seen == REPORTS.keys()
    assert kinds > {FELL, UNSOLVED}


def test_every_traced_attempt_shows_its_element_as_received_after_a_re_fetch_too(
    week: Week,
) -> None:
    with week.school.postgres.transaction() as db:
        figure = find_figure(db, REPORTS, LAST, ["new_users"], {})
        found = list(trace(db, figure))
        count = db.execute("SELECT count(*) AS attempts FROM grader").fetchone()
    assert len(found) == (count or {})["attempts"]
    versions = set()
    for traced in found:
        assert traced.attempt is not None
        day = (traced.attempt["created_at"] + MOSCOW).date()
        (version, answer), *_ = [
            (version, answer) for version, answer in enumerate(week.answers[day])
            if hash_of(answer) == traced.sha256
        ]  # fmt: skip
        received = answer[traced.position or 0]
        assert traced.text == json.dumps(received)
        shown = attempt_of(traced.text)
        assert (shown.user, shown.at, shown.verdict, shown.sourcedid) == tuple(
            traced.attempt[name]
            for name in ("user_id", "created_at", "is_correct", "lis_result_sourcedid")
        )
        # No later answer has the attempt with these values.
        for later in week.answers[day][version + 1 :]:
            assert received not in later
        versions.add((day, version))
    assert {(WEEK[2], version) for version in (0, 2)} < versions
    assert {(LAST, version) for version in (0, 1, 2)} < versions


def test_what_no_answer_has_is_said_so_and_what_is_there_is_still_shown(week: Week) -> None:
    for answer in storage.answers(WEEK[2])[1:]:
        answer.unlink()
    storage.answers(WEEK[3])[0].unlink()
    with week.school.postgres.transaction() as db:
        found = list(trace(db, find_figure(db, REPORTS, LAST, ["new_users"], {})))
        refused = list(trace(db, find_figure(db, REPORTS, WEEK[3], ["rejected"], {})))
    lost = {(t.attempt["created_at"] + MOSCOW).date() for t in found if not t.sha256 and t.attempt}
    assert lost == {WEEK[2], WEEK[3]}
    assert any(t.sha256 == hash_of(week.answers[WEEK[2]][-1]) for t in found)
    # Quarantine has the texts of refused elements.
    assert [json.loads(t.text or "") for t in refused] == [
        week.answers[WEEK[3]][0][t.position or 0] for t in refused
    ]
    assert {t.sha256 for t in refused} == {None}


def test_an_answer_in_many_batches_and_a_figure_in_many_chunks_are_the_same(
    week: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    def traced() -> list[Traced]:
        with week.school.postgres.transaction() as db:
            return list(trace(db, find_figure(db, REPORTS, LAST, ["new_users"], {})))

    before = traced()
    monkeypatch.setattr("grader_pipeline.attempts.validation.BATCH", 7)
    monkeypatch.setattr("grader_pipeline.reports.trace._AT_ONCE", 11)
    assert traced() == before


def test_every_line_behind_is_about_a_figure_that_there_is(week: Week) -> None:
    for report in REPORTS.values():
        lines = [line for day in WEEK for line in week.school.rows(report.name, day)]
        names = {line["metric"] for line in lines} if report.plot else {*(lines or [{}])[0]}
        for name in report.behind if lines else ():
            assert any(found == name or (name.endswith("_") and found.startswith(name))
                       for found in names), f"{report.name}: behind {name}"  # fmt: skip
