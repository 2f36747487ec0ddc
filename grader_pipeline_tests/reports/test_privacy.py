"""Each sentence of the rule of ``privacy.py``, on lines made by hand."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader_pipeline.reports import pictures
from grader_pipeline.reports.definition import Report
from grader_pipeline.reports.privacy import (
    OTHERS,
    columns_to_show,
    rows_to_show,
)
from grader_pipeline.reports.report_files import read_report
from grader_pipeline_tests.grader import learner

DAY = dt.date(2023, 5, 31)
ID = learner("somebody")
BASE = "-- dimension course: Курс\n-- learners learners listed in few: Юзеров\n"
METRICS = "-- column label of day: L\n-- column value of day: V\n-- plot: value by metric\n"
Line = dict[str, Any]
Make = Callable[[str], Report]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A report that is shown, with the rest of its header."""

    def made(header: str) -> Report:
        (path := tmp_path / "mine.sql").write_text(
            f"-- title: Mine\n-- sheet: yes\n{header}\nSELECT %(report_date)s"
        )
        return read_report(path)

    return made


def line(course: str, learners: object, few: list[int] | None = None, **cells: object) -> Line:
    return {"report_date": DAY, "course": course, "learners": learners, "few": few, **cells}


def shown(report: Report, lines: list[Line], *ids: str) -> list[tuple[Any, ...]]:
    rows = rows_to_show(report, lines, ids)
    assert all(row["report_date"] in {DAY, DAY - dt.timedelta(days=1)} for row in rows)
    return [tuple(row[name] for name in columns_to_show(report)) for row in rows]


def test_what_is_not_declared_stays_in_the_database(make: Make) -> None:
    report = make(BASE)
    (row,) = rows_to_show(report, [line("A", 9, user_id=ID, attempts=3)], ())
    assert row == {"report_date": DAY, "course": "A", "learners": 9}


def test_a_report_without_worksheet_is_not_shown(make: Make) -> None:
    path = make(BASE).path
    path.write_text(path.read_text().replace("sheet: yes", "sheet: no"))
    assert rows_to_show(read_report(path), [line("A", 9)], ()) == []


@pytest.mark.parametrize("count", [int, Decimal, float, str], ids=lambda kind: kind.__name__)
def test_lines_of_fewer_than_five_are_one_line_whatever_type_a_count_has(
    make: Make, count: Callable[[int], object]
) -> None:
    report = make(BASE.replace("learners learners", "learners people") + "-- sum n of people: N\n")
    lines = [
        {"report_date": DAY, "course": name, "people": count(people), "few": few, "n": count(n)}
        for name, people, few, n in (
            ("A", 3, [1, 2, 3], 7), ("B", 5, None, 11), ("C", 4, [3, 4, 5, 6], 13), ("D", 0, [], 0)
        )
    ]  # fmt: skip
    assert shown(report, lines) == [("B", count(5), count(11)), (OTHERS, 6, 20)]


@pytest.mark.parametrize("unknown", [None, "viele", float("nan")])
def test_a_count_that_is_not_known_is_too_few(make: Make, unknown: object) -> None:
    lines = [line("A", unknown), line("B", 8), line("C", 9)]
    assert shown(make(BASE), lines) == [("C", 9), (OTHERS, None)]


def test_lines_are_merged_per_day_and_parents(make: Make) -> None:
    report = make(
        "-- dimension course: К\n-- dimension task in course, period: З\n-- dimension period: П\n"
        "-- learners learners listed in few: Ю\n-- sum n of learners: N\n"
    )
    lines = [
        line("A", 3, [1, 2, 3], task="a", period=1, n=3),
        line("A", 3, [1, 2, 3], task="a", period=28, n=5),
        line("A", 2, [4, 5], task="b", period=1, n=2),
        line("A", 4, [4, 5, 6, 7], task="b", period=28, n=9),
        line("A", 9, task="c", period=1, n=20),
        line("B", 4, [1, 2, 3, 4], task="d", period=1, n=4),
        line("B", 6, task="e", period=1, n=30),
        {**line("A", 2, [8, 9], task="a", period=1, n=2), "report_date": DAY - dt.timedelta(1)},
        {**line("A", 7, task="b", period=1, n=8), "report_date": DAY - dt.timedelta(1)},
    ]
    assert shown(report, lines) == [
        ("A", OTHERS, 28, 7, 14),
        ("A", "c", 1, 9, 20), ("A", OTHERS, 1, 5, 5),
        # The union of B is six at least: one of its lines has as many.
        ("B", OTHERS, 1, None, 34),
        ("A", OTHERS, 1, None, 10),
    ]  # fmt: skip


def test_of_several_learners_those_in_two_lines_count_once(make: Make) -> None:
    lines = [line("A", 4, [1, 2, 3, 4]), line("B", 4, [1, 2, 3, 4]), line("C", 6), line("D", 7)]
    # A and B are four learners together, so C joins them.
    assert shown(make(BASE), lines) == [("D", 7), (OTHERS, None)]


def test_without_a_list_lines_are_as_many_learners_as_the_largest_of_them(make: Make) -> None:
    report = make(BASE.replace(" listed in few", ""))
    lines = [line("A", 4), line("B", 4), line("C", 8), line("D", 9)]
    assert shown(report, lines) == [("D", 9), (OTHERS, None)]
    lines[0]["few"] = lines[1]["few"] = [1, 2, 3, 4]
    assert shown(report, lines) == [("D", 9), (OTHERS, None)]


def test_the_smallest_line_joins_and_of_equal_ones_the_first_by_name(make: Make) -> None:
    lines = [line("A", 1, [1]), line("D", 6), line("C", 6), line("B", 7)]
    for order in (lines, lines[::-1]):
        assert {row[0] for row in shown(make(BASE), order)} == {"D", "B", OTHERS}


def test_where_nothing_can_join_the_breakdown_is_left_out(make: Make) -> None:
    assert shown(make(BASE), [line("A", 2, [1, 2]), line("B", 3, [1, 2, 3])]) == []
    assert shown(make(BASE), [line("A", 2, [1, 2]), line("B", 0, [])]) == []
    assert shown(make(BASE), [line("A", 4)]) == []


def test_empty_lines_are_merged_with_small_ones_so_that_no_missing_line_is_a_small_one(
    make: Make,
) -> None:
    report = make(BASE + "-- sum n of learners: N\n")
    empty = [line("A", 0, None, n=0), line("B", 0, None, n=0)]
    large = [line("C", 9, n=12)]
    assert shown(report, [*empty, *large]) == [("A", 0, 0), ("B", 0, 0), ("C", 9, 12)]
    small = [line("D", 3, [1, 2, 3], n=3), line("E", 2, [4, 5], n=5)]
    assert shown(report, [*empty, *large, *small]) == [("C", 9, 12), (OTHERS, 5, 8)]
    assert shown(report, empty) == [("A", 0, 0), ("B", 0, 0)]


def test_what_is_missing_in_a_column_of_sums_is_never_a_small_group(make: Make) -> None:
    """Total minus shown, and a blank cell beside a sum."""
    report = make(
        BASE + "-- learners submitting of learners: S\n-- sum attempts of learners: N\n"
        "-- sum submits of submitting: M\n-- column share of submitting: P\n"
    )
    lines = [
        line("A", 8, None, submitting=2, attempts=30, submits=4, share=50),
        line("B", 2, [1, 2], submitting=2, attempts=5, submits=3, share=33),
        line("C", 9, None, submitting=9, attempts=31, submits=20, share=45),
        line("D", 4, [3, 4, 5, 6], submitting=0, attempts=7, submits=0, share=None),
    ]
    assert shown(report, lines) == [
        ("A", 8, 2, 30, 4, None), ("C", 9, 9, 31, 20, 45), (OTHERS, 6, None, 12, 3, None),
    ]  # fmt: skip


def test_a_figure_of_fewer_than_five_is_blank_and_the_merged_line_has_none(make: Make) -> None:
    report = make(BASE + "-- learners first of learners: F\n-- column share of first: P\n")
    lines = [line("A", 8, first=number, share=50) for number in (0, 1, 4, None, 5)]
    lines += [line("B", 3, [1, 2, 3], first=3, share=50), line("C", 3, [4, 5, 6], first=3, share=5)]
    assert shown(report, lines) == [
        ("A", 8, 0, None), ("A", 8, 1, None), ("A", 8, 4, None), ("A", 8, None, None),
        ("A", 8, 5, 50), (OTHERS, 6, None, None),
    ]  # fmt: skip


def test_a_part_of_the_merged_learners_is_counted_if_it_is_listed(make: Make) -> None:
    report = make(BASE + "-- learners solved of learners listed in few_solved: S\n")
    lines = [
        line("A", 3, [1, 2, 3], solved=1, few_solved=[1]),
        line("B", 3, [1, 4, 5], solved=2, few_solved=[1, 4]),
    ]
    assert shown(report, lines) == [(OTHERS, 5, 2)]
    lines[1]["few_solved"] = None
    assert shown(report, lines) == [(OTHERS, 5, None)]


def test_a_second_group_of_one_to_four_is_blank_with_all_its_figures(make: Make) -> None:
    report = make(
        BASE + "-- learners before: B\n-- learners solved_before of before: S\n"
        "-- column share of before: P\n-- column mean of solved_before: M\n"
    )
    lines = [
        line("A", 8, before=number, solved_before=solved, share=50, mean=2)
        for number, solved in ((0, 0), (1, 0), (4, 4), (5, 3), (9, 6), (None, 6))
    ]
    assert [row[2:] for row in shown(report, lines)] == [
        (0, 0, None, None), (None, None, None, None), (None, None, None, None), (5, 3, 50, None),
        (9, 6, 50, 2), (None, None, None, None),
    ]  # fmt: skip


def test_a_total_of_the_day_is_shown_beside_groups(make: Make) -> None:
    report = make(BASE + "-- column total of day: T\n-- sum all of day: U\n")
    lines = [line("A", 3, [1, 2, 3], total=40, all=41), line("B", 9, total=40, all=41)]
    assert shown(report, lines) == [(OTHERS, None, 40, 41)]
    assert shown(report, lines[1:]) == [("B", 9, 40, 41)]


def test_a_report_without_groups_is_shown_whole_and_named(make: Make) -> None:
    report = make(
        "-- column label of day: L\n-- column value of day: V\n-- plot: value by metric\n"
    )
    lines = [{"report_date": DAY, "label": "Юзеров", "metric": "users", "value": 1, "place": 7}]
    assert rows_to_show(report, lines, ()) == [
        {"report_date": DAY, "label": "Юзеров", "metric": "users", "value": 1}
    ]


def test_no_text_that_is_shown_is_a_learner(make: Make) -> None:
    report = make(BASE + "-- column who of learners: W\n-- sum n of learners: N\n")
    lines = [
        line(ID, 9, who="x", n=1), line("B", 9, who=ID, n=2), line("C", 9, who=["y", ID], n=4),
        line("D", 9, who={"z": ID}, n=8), line("E", 9, who="w", n=16),
    ]  # fmt: skip
    assert shown(report, lines, ID) == [("E", 9, "w", 16), (OTHERS, None, None, 15)]
    assert shown(report, lines[:1], ID) == [(OTHERS, None, None, 1)]
    named = line(ID, 0, [], who="x", n=0)
    assert shown(report, [named, lines[4]], ID) == [(OTHERS, None, None, 16)]


def test_no_parent_is_a_learner(make: Make) -> None:
    report = make("-- dimension task in course: T\n" + BASE)
    lines = [line(ID, 9, task="a"), line("A", 9, task="a")]
    assert shown(report, lines, ID) == [("a", "A", 9)]


def test_a_line_that_names_a_learner_in_a_report_without_groups_is_left_out(make: Make) -> None:
    report = make(
        "-- column label of day: L\n-- column value of day: V\n-- plot: value by metric\n"
    )
    lines = [
        {"report_date": DAY, "label": label, "metric": metric, "value": 1}
        for label, metric in (("a", "b"), (ID, "b"), ("a", ID))
    ]
    assert shown(report, lines, ID) == [("a", 1)]


def test_a_column_that_an_older_table_lacks_is_blank(make: Make) -> None:
    report = make(BASE + "-- learners first of learners: F\n-- column share of first: P\n")
    assert shown(report, [{"report_date": DAY, "course": "A", "learners": 7}]) == [
        ("A", 7, None, None)
    ]
    assert shown(report, [{"report_date": DAY, "course": "A"}]) == []


def test_lines_that_cannot_be_counted_are_one_line_that_says_why_or_none(make: Make) -> None:
    header = "-- dimension state: S\n-- dimension course in state: C\n-- learners learners: N\n"
    figures = "-- sum attempts of learners: A\n-- column share of learners: P\n"
    report = make(f"{header}{figures}-- column reason of day: R\n")
    lines = [line(name, None, state="s", attempts=3, share=9, reason="why") for name in "AB"]
    other = line("A", 7, state="t", attempts=8, share=2)
    assert shown(report, [*lines, other]) == [
        ("s", OTHERS, None, None, None, "why"), ("t", "A", 7, 8, 2, None)
    ]  # fmt: skip
    assert shown(report, [{**each, "reason": None} for each in lines]) == []
    assert shown(report, [{**each, "state": ID} for each in lines], ID) == []
    # With a line that is counted, they are as those of too few.
    assert shown(report, [*lines, line("C", 7, state="s", attempts=8)]) == [
        ("s", OTHERS, None, 14, None, None)
    ]


@pytest.mark.parametrize(("places", "drawn"), [(("A", "B", "C"), {"C", OTHERS}), ((1, 2, 3), {3})])
def test_a_merged_line_is_a_bar_but_has_no_place_on_an_axis_of_numbers(
    make: Make, places: tuple[Any, ...], drawn: set[Any]
) -> None:
    report = make(BASE + "-- picture: bar x=course y=learners\n")
    lines = [line(places[0], 3, [1, 2, 3]), line(places[1], 3, [4, 5, 6]), line(places[2], 9)]
    rows = rows_to_show(report, lines, ())
    assert report.picture
    assert {place for _, place, _ in pictures._points(report, report.picture, rows)} == drawn
    assert pictures.draw(report, rows)


def test_a_merged_line_without_a_series_of_its_own_is_in_no_picture(make: Make) -> None:
    report = make(
        "-- dimension course: К\n-- dimension task in course: З\n-- dimension kind: Т\n"
        "-- learners learners listed in few: Ю\n-- picture: bar x=course y=learners by=kind\n"
    )
    lines = [line("A", 9, task="a", kind="x"), line("A", 2, [1, 2], task="b", kind="x")]
    lines += [line("A", 3, [3, 4, 5], task="c", kind="y")]
    rows = rows_to_show(report, lines, ())
    assert [row["kind"] for row in rows] == ["x", None]
    assert report.picture
    assert len(pictures._points(report, report.picture, rows)) == 1


def test_a_merged_sum_is_whole_if_it_is_a_whole_number_and_else_exact(make: Make) -> None:
    report = make(
        "-- dimension course: К\n-- learners active listed in few: Ю\n"
        "-- sum attempts of active: П\n-- sum hours of active: Ч\n"
    )
    lines = [
        {
            "report_date": DAY,
            "course": name,
            "active": 3,
            "few": few,
            "attempts": sent,
            "hours": hours,
        }
        for name, few, sent, hours in (
            ("A", [1, 2, 3], Decimal("4.0"), Decimal("1.5")),
            ("B", [4, 5, 6], Decimal("2"), Decimal("2")),
        )
    ]
    ((_, count, attempts, hours),) = shown(report, lines)
    assert (count, attempts, hours) == (6, 6, Decimal("3.5"))
    assert isinstance(attempts, int)


def test_a_line_that_is_merged_alone_keeps_its_parent(make: Make) -> None:
    report = make(
        "-- dimension course: К\n-- dimension task in course: З\n-- learners learners: Ю\n"
    )
    assert shown(report, [line("A", 9, task=ID)], ID) == [("A", OTHERS, None)]


@pytest.mark.parametrize("name", ["a", "zz"])
def test_a_second_group_of_one_to_four_is_blank_whatever_its_name_is(make: Make, name: str) -> None:
    report = make(BASE + f"-- learners {name}: Раньше\n")
    assert shown(report, [line("A", 9, **{name: 4}), line("B", 9, **{name: 5})]) == [
        ("A", 9, None), ("B", 9, 5),
    ]  # fmt: skip
