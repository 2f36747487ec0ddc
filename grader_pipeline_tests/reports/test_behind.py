"""What a report's header says of the attempts behind a figure."""

import datetime as dt
from pathlib import Path

import pytest

from grader_pipeline.reports.behind import Behind, attempts_query, read_behind
from grader_pipeline.reports.definition import ReportError
from grader_pipeline.reports.report_files import read_report

QUERY = "\nSELECT 1 AS x WHERE %(report_date)s IS NOT NULL"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("day", Behind("day")),
        ("28 days", Behind("28 days")),
        ("all of course", Behind("all", ("course",))),
        ("period of course and task, is_run", Behind("period", ("course", "task"), "is_run")),
        ("day,is_run AND task IN ('a, b')", Behind("day", condition="is_run AND task IN ('a, b')")),
        ("rejected, position < 9", Behind("rejected", condition="position < 9")),
        ("elements", Behind("elements")),
    ],
)  # fmt: skip
def test_a_period_dimensions_and_a_condition_are_read(text: str, meant: Behind) -> None:
    assert read_behind(text) == meant


@pytest.mark.parametrize(
    "text",
    ["yesterday", "0 days", "day is_run", "day of school", "day,", "elements, is_run",
     "elements of course", "is_submit"],
)  # fmt: skip
def test_another_text_is_an_error_of_its_line_that_says_what_to_write(
    tmp_path: Path, text: str
) -> None:
    (file := tmp_path / "x.sql").write_text(f"-- title: X\n-- behind x: {text}\n{QUERY}")
    with pytest.raises(ReportError, match=r"x\.sql, line 2: what is behind a figure is written as"):
        read_report(file)


def test_a_behind_line_names_a_column_of_the_query(tmp_path: Path) -> None:
    (file := tmp_path / "x.sql").write_text(f"-- title: X\n-- behind x: day\n{QUERY}")
    assert (2, "x") in read_report(file).named_columns
    plot = "-- plot: value by metric\n-- behind submits: day\n"
    file.write_text(f"-- title: X\n{plot}{QUERY}")
    assert "submits" not in {name for _, name in read_report(file).named_columns}


@pytest.mark.parametrize(
    ("period", "first"),
    [("день", "2023-03-25 23:00:00"), ("2 дня", "2023-03-24 23:00:00"), ("всё время", None)],
)
def test_the_period_of_a_line_is_its_days_in_the_schools_zone(
    monkeypatch: pytest.MonkeyPatch, period: str, first: str | None
) -> None:
    monkeypatch.setenv("GRADER_TIMEZONE", "Europe/Berlin")
    line = {"course": "it's", "period": period, "hour": 7}
    text = attempts_query(Behind("period"), dt.date(2023, 3, 26), line).as_string()
    assert (f"created_at >= '{first}'" in text) == (first is not None)
    # The clock goes forward: the day has 23 hours.
    assert "created_at < '2023-03-26 22:00:00'" in text
    assert "\"course\" = 'it''s'" in text
    assert "AT TIME ZONE 'Europe/Berlin') = 7" in text
