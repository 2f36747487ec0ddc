"""A value with a unit is shown as readers read it, and what cannot be compared is not compared."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader_pipeline.reports import russian
from grader_pipeline.reports.definition import ReportError
from grader_pipeline.reports.privacy import rows_to_show
from grader_pipeline.reports.report_files import read_report, reports
from grader_pipeline.reports.units import Change, Percent, cell, plain, with_cells

DAY = dt.date(2023, 5, 31)
HEADER = (
    "-- title: Mine\n-- sheet: yes\n-- column label of day: L\n-- column value of day: V\n"
    "-- plot: value by metric\n"
)


@pytest.mark.parametrize(
    ("value", "unit", "text", "seen", "in_russian"),
    [
        (Decimal(1234), "count", None, 1234, "1 234"),
        (Decimal("1.50"), "number", None, Decimal("1.5"), "1,5"),
        (Decimal("57.9"), "percent", None, Percent(57.9), "57,9 %"),
        (Decimal("50.0"), "percent", None, Percent(50), "50 %"),
        (Decimal("-3.25"), "change", None, Change(-3.25), "−3,25 %"),
        (Decimal("14.2"), "change", None, Change(14.2), "+14,2 %"),
        (Decimal(190), "clock", None, dt.time(3, 10), "03:10"),
        (Decimal(0), "clock", None, dt.time(0, 0), "00:00"),
        (Decimal(1439), "clock", None, dt.time(23, 59), "23:59"),
        (Decimal(14), "hour", "14:00–15:00", "14:00–15:00", "14:00–15:00"),
        (None, "hour", "поровну, часов: 6", "поровну, часов: 6", "поровну, часов: 6"),
        (None, "count", *["нет данных за 12 из 28 дней"] * 3),
        (None, "clock", None, None, "—"),
        # Lines of an earlier release, and of a later one.
        (Decimal("9.5"), None, None, Decimal("9.5"), "9,5"),
        (Decimal("9.5"), "litres", None, Decimal("9.5"), "9,5"),
    ],
)
def test_a_value_is_shown_in_its_unit(
    value: Decimal | None, unit: str | None, text: str | None, seen: Any, in_russian: str
) -> None:
    found = cell(value, unit, text)
    assert (found, isinstance(found, float) and type(found)) == (
        seen,
        isinstance(seen, float) and type(seen),
    )
    assert russian.shown(found).replace("\N{NO-BREAK SPACE}", " ") == in_russian


@pytest.mark.parametrize(
    ("unit", "change"),
    [
        ("count", "+3,2 (+5,9 %)"), ("number", "+3,2 (+5,9 %)"), (None, "+3,2 (+5,9 %)"),
        ("percent", "+3,2 п.п."), ("change", None), ("clock", None), ("hour", None), ("date", None),
    ],
)  # fmt: skip
def test_a_share_changes_by_points_and_a_time_and_a_change_do_not_change(
    unit: str | None, change: str | None
) -> None:
    found = russian.change(Decimal("57.9"), Decimal("54.7"), unit)
    assert (found and found.replace("\N{NO-BREAK SPACE}", " ")) == change
    unknown = russian.change(None, Decimal(1), unit)
    assert unknown == (change and russian.NO_VALUE)


def test_every_report_with_units_uses_those_that_there_are_and_shows_its_values_by_them() -> None:
    with_units = [report for report in reports() if report.units]
    assert {report.name for report in with_units} == {"daily_metrics", "data_health"}
    for report in with_units:
        assert report.units == ("value", "unit", "text")


def test_the_unit_and_the_text_of_a_value_are_read_and_not_columns_of_their_own(
    tmp_path: Path,
) -> None:
    (path := tmp_path / "mine.sql").write_text(
        f"{HEADER}-- units: value by unit or text\n\nSELECT %(report_date)s"
    )
    report = read_report(path)
    line = {"report_date": DAY, "metric": "m", "label": "Первая попытка", "value": Decimal(190)}
    shown = rows_to_show(report, [{**line, "unit": "clock", "text": None, "other": 1}], ())
    assert shown == [{**line, "unit": "clock", "text": None}]
    assert with_cells(report, shown) == [{**shown[0], "value": dt.time(3, 10)}]
    assert plain(None) == ""


@pytest.mark.parametrize("text", ["value", "value by unit", "value by unit and text"])
def test_units_that_do_not_say_all_are_an_error_that_says_how(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "mine.sql").write_text(
        f"{HEADER}-- units: {text}\n\nSELECT %(report_date)s"
    )
    with pytest.raises(ReportError, match="line 6: units are written as `column by column or"):
        read_report(path)


def test_a_former_label_of_a_column_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    header = "-- dimension course: Курс\n-- learners tried: Пробовали\n"
    (path := tmp_path / "mine.sql").write_text(
        f"{header}-- formerly tryed: Пробовало | Юзеров\n\nSELECT %(report_date)s"
    )
    with pytest.raises(ReportError, match="line 3: the column tryed is not declared"):
        read_report(path)
    path.write_text(path.read_text().replace("tryed", "tried"))
    assert read_report(path).formerly == {"tried": ("Пробовало", "Юзеров")}
