"""The page shows each metric of each day of the period, and how it went."""

import datetime as dt
from decimal import Decimal
from typing import Any

from grader_pipeline.page.period import blocks, trends
from grader_pipeline.reports.day_metrics import MAIN_METRICS
from grader_pipeline.reports.report_files import reports

(MAIN,) = (report for report in reports() if report.name == "daily_metrics")


def row(
    day: dt.date, label: str, value: float | None, unit: str = "count", text: str | None = None
) -> dict[str, Any]:
    known = None if value is None else Decimal(str(value))
    return {"report_date": day, "label": label, "value": known, "unit": unit, "text": text,
            "metric": MAIN_METRICS[0]}  # fmt: skip


def days(*numbers: int) -> list[dt.date]:
    return [dt.date(2023, 5, number) for number in numbers]


def read(place: str) -> tuple[float, float]:
    x, y = map(float, place.split(","))
    return x, y


def test_every_stored_day_has_a_column_and_every_metric_of_the_period_a_line() -> None:
    period = days(*range(1, 10))
    rows = [row(day, "Попыток", 1000 + day.day) for day in period]
    rows += [row(period[0], "Раньше", 5), row(period[-1], "Доля", 57.94, "percent")]
    rows += [row(period[-1], "Последняя", 190, "clock")]
    rows += [row(period[-2], "Активных", None, text="не хватает 27 дней из 28")]
    rows += [row(period[-1], "Активных", None, text="10:00–11:00")]
    newest, oldest = blocks(MAIN, rows, period)
    assert (newest.days, oldest.days) == (tuple(period[2:]), tuple(period[:2]))
    assert newest.lines[0] == ("Попыток", tuple(f"1\N{NO-BREAK SPACE}00{d}" for d in range(3, 10)))
    last = {label: cells[-2:] for label, cells in newest.lines}
    assert last["Доля"] == ("—", "57,94\N{NO-BREAK SPACE}%")
    assert last["Последняя"] == ("—", "03:10")
    assert last["Активных"] == ("—", "10:00–11:00")
    assert [label for label, _ in oldest.lines] == [label for label, _ in newest.lines]
    assert dict(oldest.lines)["Раньше"] == ("5", "—")


def test_a_trend_has_the_days_at_their_places_and_a_missing_day_interrupts_it() -> None:
    period = days(1, 2, 4, 5, 7)
    rows = [row(day, "Попыток", value) for day, value in zip(period, (5, 1, 3, 9, 5), strict=True)]
    rows += [row(day, "Изменение", 3, "change") for day in period]
    rows += [row(period[0], "Один день", 3), *(row(day, "Ровно", 7) for day in period)]
    falling, level = trends(MAIN, rows, period)
    assert (falling.label, level.label) == ("Попыток", "Ровно")
    assert (falling.least, falling.greatest, falling.last) == ("1", "9", "5")
    width, height = falling.size
    parts = [[read(place) for place in part.split()] for part in falling.parts]
    assert [len(part) for part in parts] == [2, 2]
    assert len(falling.dots) == 1
    places = [*parts[0], *parts[1], *falling.dots]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert all(0 < x < width and 0 < y < height for x, y in places)
    assert places[1][1] == max(y for _, y in places)
    assert places[3][1] == min(y for _, y in places)
    assert {read(place)[1] for part in level.parts for place in part.split()} == {height / 2}
    assert trends(MAIN, rows[:1], period[:1]) == []
