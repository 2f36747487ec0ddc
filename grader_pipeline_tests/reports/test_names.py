"""Names that readers give: what they show, and what they never change."""

import datetime as dt
import random
from typing import Any

import pytest

from grader_pipeline.reports import pictures
from grader_pipeline.reports.definition import OTHERS
from grader_pipeline.reports.names import (
    LONGEST_NAME,
    Names,
    clean_name,
    read_nameable,
    read_named,
    read_names,
    shown_name,
    store_names,
    with_names,
)
from grader_pipeline_tests.reports.conftest import REPORTS, School
from grader_pipeline_tests.reports.school_days import COURSE, DAY, OK, OTHER, WRONG, X, Y, at

RUNS = [f"course-v1:S+A+{run}" for run in ("1", "28FEB2021", "04MAY2020", "2022_T1", "2022_T10")]
THIRD = "course-v1:S+C+1"
FIVE = ("ann", "bob", "cat", "dan", "eve")


def test_a_name_is_one_line_of_1_to_200_visible_characters_and_nothing_else_is_a_name() -> None:
    for value, name in (
        ("  Циклы \n и\tсписки ", "Циклы и списки"),
        ("а" * LONGEST_NAME, "а" * LONGEST_NAME),
        ("а" * (LONGEST_NAME + 1), None),
        (f"{' ' * 300}а", "а"),
        ("", None), (" \n ", None), ("\u200b\u202e\0", None), (None, None),
        ("a\u202ecb\0\ud800", "acb"),
        ("=HYPERLINK(1)", "=HYPERLINK(1)"), ("<b>", "<b>"),
        (101, None), (1.5, None), (dt.date(2023, 5, 31), None), (dt.time(3), None),
    ):  # fmt: skip
        assert clean_name(value) == name, value


def test_no_two_courses_and_no_two_tasks_of_a_course_are_shown_alike() -> None:
    chance = random.Random(5)
    texts = ["А", "а", "А, 1", f"А ({RUNS[0]})", OTHERS, "не распознан", "Б", f"А (…{X[-8:]})"]
    tasks = [X, Y, "c" * 32, "c" * 31 + "d", "1", "2"]
    for _ in range(300):
        courses = chance.sample([*RUNS, OTHER, "S/A/1", "Moodle"], 5)
        keys = [(course, task) for course in courses for task in ("", *tasks)]
        names = Names({key: chance.choice(texts) for key in keys if chance.random() < 0.8})
        for shown in (
            [shown_name(names, course) for course in courses],
            *([shown_name(names, course, task) for task in tasks] for course in courses),
        ):
            assert len({text.casefold() for text in shown}) == len(shown), names.given
            assert not {OTHERS, "не распознан"}.intersection(shown)


def test_runs_of_a_course_that_share_a_name_are_shown_with_their_run() -> None:
    names = Names({(RUNS[1], ""): "Анализ", (RUNS[2], ""): "Анализ", (OTHER, ""): "SQL"})
    assert shown_name(names, RUNS[1]) == "Анализ, 28FEB2021"
    assert shown_name(names, RUNS[2]) == "Анализ, 04MAY2020"
    assert shown_name(names, OTHER) == "SQL"
    assert shown_name(names, RUNS[0]) == RUNS[0]
    assert shown_name(names, OTHER, X) == X


def test_lines_are_found_by_ids_and_earlier_names_that_mean_nothing_else() -> None:
    a, b, c, d = RUNS[:4]
    names = Names(
        {(a, ""): "Анализ", (b, ""): "SQL", (a, X): "Циклы", (c, X): "Списки", (a, Y): "Цвета"},
        {(a, ""): ["Анализ данных", "SQL"], (d, ""): ["Питон"], (c, X): ["Циклы"]},
    )
    assert names.formerly == {
        "Анализ": (a, "Анализ данных"), "SQL": (b,), d: ("Питон",), "Цвета": (Y,),
    }  # fmt: skip


def _rows(keys: list[tuple[str, str]]) -> list[dict[str, Any]]:
    columns = dict.fromkeys(REPORTS["tasks"].columns)
    return [{**columns, "report_date": DAY, "course": c, "task": t} for c, t in keys]


def test_courses_are_in_the_order_of_names_then_of_runs_and_merged_lines_are_last() -> None:
    given = {(run, ""): "Анализ данных" for run in RUNS} | {(OTHER, ""): "SQL 2"}
    given |= {(OTHER, X): "2.10 Циклы", (OTHER, Y): "2.9 Списки"}
    keys = sorted([(run, X) for run in RUNS] + [(OTHER, X), (OTHER, Y), (OTHER, "0" * 32)])
    rows = _rows([*keys, (OTHER, OTHERS)])
    shown = with_names(REPORTS["tasks"], rows, Names(given))
    assert [row["course"].removeprefix("Анализ данных, ") for row in shown] == [
        *["SQL 2"] * 4, "1", "04MAY2020", "28FEB2021", "2022_T1", "2022_T10",
    ]  # fmt: skip
    assert [row["task"] for row in shown[:4]] == ["2.9 Списки", "2.10 Циклы", "0" * 32, OTHERS]


def test_a_report_that_has_an_order_of_its_own_keeps_it() -> None:
    rows = _rows([(OTHER, X), (COURSE, X)])
    shown = with_names(REPORTS["tasks"], rows, Names({(COURSE, ""): "А"}))
    assert [row["course"] for row in shown] == [OTHER, "А"]


def test_a_picture_draws_any_name_and_tasks_of_two_courses_with_one_name_apart() -> None:
    report = REPORTS["tasks"]
    rows = _rows([(COURSE, X), (OTHER, X), (OTHER, Y)])
    rows = [{**row, "period": "день", "solved_share": 50} for row in rows]
    names = Names({(COURSE, X): r"$\frac{x$", (OTHER, X): r"$\frac{x$", (OTHER, Y): "a_b^c $"})
    shown = with_names(report, rows, names)
    assert report.picture
    points = pictures._points(report, report.picture, shown)
    assert len({place for _, place, _ in points}) == 3
    assert pictures.draw(report, shown)


@pytest.fixture
def loaded(school: School) -> School:
    """Six learners tried X, four Y, four the course OTHER, five a task of THIRD."""
    attempts = [at("10:00", name, OK) for name in (*FIVE, "fay")]
    attempts += [at("11:00", name, WRONG, Y) for name in FIVE[1:]]
    attempts += [at("12:00", name, WRONG, Y, OTHER) for name in FIVE[1:]]
    attempts += [at("13:00", name, OK, X, THIRD) for name in FIVE]
    school.load(DAY, attempts)
    school.compute(DAY)
    return school


def test_what_five_learners_have_tried_can_be_named(loaded: School) -> None:
    def nameable() -> list[tuple[str, str | None, str | None]]:
        with loaded.postgres.transaction() as db:
            return [(row["course"], row["task"], row["name"]) for row in read_nameable(db)]

    first = [(COURSE, None, None), (COURSE, X, None)]
    third = [(THIRD, None, None), (THIRD, X, None)]
    assert nameable() == [*first, *third]
    # A course of which no task has five learners, but all its tasks have.
    loaded.load(DAY + dt.timedelta(days=1), [at("10:00", "ann", OK, X, OTHER, back=-1)])
    assert nameable() == [*first, (OTHER, None, None), *third]


def test_names_are_what_the_worksheet_had_last_and_those_that_cannot_be_used_are_said(
    loaded: School,
) -> None:
    with loaded.postgres.transaction() as db:
        refused = store_names(db, [
            (COURSE, None, " Анализ\nданных "), (COURSE, X, "я" * 201), (COURSE, Y, X),
            (OTHER, None, 5), (None, None, "Итого"), (COURSE, None, "Другое"),
        ])  # fmt: skip
        assert refused.keys() == {X, Y, OTHER}
        assert read_names(db).given == {(COURSE, ""): "Анализ данных"}
        store_names(db, [(COURSE, None, None), (COURSE, X, "Циклы")])
        assert read_names(db).given == {(COURSE, X): "Циклы"}
        assert read_names(db).formerly == {COURSE: ("Анализ данных",), "Циклы": (X,)}
        assert {row["name"] for row in read_nameable(db)} == {None, "Циклы"}
        store_names(db, [])
        assert read_names(db).given == {}


def test_no_name_that_is_a_learners_id_is_shown(loaded: School) -> None:
    [ident] = {row["user_id"] for row in loaded.ask("SELECT min(user_id) AS user_id FROM learner")}
    with loaded.postgres.transaction() as db:
        store_names(db, [(COURSE, None, ident), (COURSE, X, "Циклы")])
        assert read_names(db).given == {(COURSE, X): "Циклы"}


def test_a_renaming_changes_what_is_shown_and_nothing_that_is_stored(loaded: School) -> None:
    def stored() -> dict[str, list[dict[str, Any]]]:
        tables = [*REPORTS, "report_day", "outdated_record", "rollup_day"]
        return {t: loaded.ask(f"SELECT * FROM {t} ORDER BY {t}::text") for t in tables}

    def shown(name: str) -> list[dict[str, Any]]:
        with loaded.postgres.transaction() as db:
            return read_named(db, REPORTS[name], days=None)

    before = stored()
    ids = {name: shown(name) for name in ("courses", "tasks", "attention")}
    with loaded.postgres.transaction() as db:
        store_names(db, [(COURSE, None, "Анализ данных"), (COURSE, X, "Циклы")])
    assert stored() == before
    for name, rows in ids.items():
        assert any(row["course"] == COURSE for row in rows), name
        for row in rows:
            if row["course"] == COURSE:
                row["course"] = "Анализ данных"
                row.update({"task": "Циклы"} if row.get("task") == X else {})
        assert sorted(map(repr, shown(name))) == sorted(map(repr, rows))
