"""What readers and earlier scripts put into the Google Sheet is kept, or left alone."""

import pytest

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.resource import Sheets
from grader_pipeline.sheet.table import Column, Table, daily_report
from grader_pipeline_tests.sheet.sheets_given import HEADER, LABELS, metrics
from grader_pipeline_tests.sheet.sheets_server import Google
from grader_pipeline_tests.sheet.sheets_spreadsheet import Spreadsheet

DAY = 45077  # 2023-05-31, in days since 1899-12-30
ATTEMPTS, SUCCESSES, USERS = LABELS


def test_what_is_beside_a_line_moves_with_it(book: Spreadsheet, sheets: Sheets) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    theirs = {
        "userEnteredValue": {"formulaValue": "=C2*2"},
        "userEnteredFormat": {"numberFormat": {"type": "PERCENT", "pattern": "0%"}},
        "note": "праздник",
    }
    book.put("Лист1", 1, 3, theirs)
    book.put("Лист1", 9, 4, {"userEnteredValue": {"stringValue": "ниже"}})
    book.sheet("Лист1")["cells"][2, 0] |= {"note": "наша ячейка"}
    fill = {"backgroundColor": {"red": 1}}
    book.sheet("Лист1")["cells"][1, 2]["userEnteredFormat"] |= fill
    book.sheet("Лист1")["heights"][2] = 60

    sheets.show(daily_report(metrics("2023-05-31", "2023-05-30")))

    cells = book.sheet("Лист1")["cells"]
    assert cells[4, 3] == theirs
    assert cells[12, 4] == {"userEnteredValue": {"stringValue": "ниже"}}
    assert cells[5, 0]["note"] == "наша ячейка"
    assert [
        row
        for row in range(8)
        if cells.get((row, 2), {}).get("userEnteredFormat", {}).get("backgroundColor")
    ] == [4]
    assert book.sheet("Лист1")["heights"] == {5: 60}


def test_days_that_only_the_sheet_has_stay(
    google: Google, book: Spreadsheet, sheets: Sheets
) -> None:
    old = [HEADER, ["2022-01-02", "Старый показатель", 7], ["31.05.2023", ATTEMPTS, 1]]
    for row, line in enumerate(old):
        for column, value in enumerate(line):
            kind = "stringValue" if isinstance(value, str) else "numberValue"
            book.put("Лист1", row, column, {"userEnteredValue": {kind: value}})

    sheets.show(daily_report(metrics("2023-05-31")))
    sheets.show(daily_report(metrics("2023-05-31")))

    assert book.values("Лист1")[1:] == [
        ["2022-01-02", "Старый показатель", 7],
        [DAY, ATTEMPTS, 671],
        [DAY, SUCCESSES, 31],
        [DAY, USERS, 12.5],
    ], "lines stay where readers have them"
    assert google.count("batchUpdate") == 1


@pytest.mark.parametrize(
    ("line", "cells", "says"),
    [
        (0, {0: "Дата", 1: "Курс"}, "Wrong header: .* begins with «Дата | Курс | » instead of"),
        (3, {0: "Итого"}, "Wrong header"),
    ],
)
def test_a_worksheet_headed_otherwise_is_left_alone(
    line: int,
    cells: dict[int, str],
    says: str,
    *,
    google: Google,
    book: Spreadsheet,
    sheets: Sheets,
) -> None:
    for column, text in cells.items():
        book.put("Лист1", line, column, {"userEnteredValue": {"stringValue": text}})

    with pytest.raises(PermanentFailure, match=says.replace("|", r"\|")):
        sheets.show(daily_report(metrics("2023-05-31")))
    assert google.count("batchUpdate") == 0


def put(book: Spreadsheet, row: int, *texts: str) -> None:
    for column, text in enumerate(texts):
        book.put("Лист1", row, column, {"userEnteredValue": {"stringValue": text}})


def test_lines_of_readers_among_ours_stay_and_stop_nothing(
    book: Spreadsheet, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    put(book, 4, "Итого", "=СУММ", "44")
    book.insert("Лист1", 0, 1)
    put(book, 0, "Отчёт школы")
    book.insert("Лист1", 3, 1)
    put(book, 3, "30.05.2023", "праздник")

    sheets.show(daily_report(metrics("2023-05-31", "2023-05-30")))
    sheets.show(daily_report(metrics("2023-05-31", "2023-05-30")))

    labels = [line[:2] for line in book.values("Лист1")]
    assert labels == [
        ["Отчёт школы", None],
        HEADER[:2],
        *([DAY, label] for label in LABELS),
        [DAY - 1, ATTEMPTS],
        ["30.05.2023", "праздник"],
        [DAY - 1, SUCCESSES],
        [DAY - 1, USERS],
        ["Итого", "=СУММ"],
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_lines_are_found_after_readers_have_sorted_whole_rows(
    order: int, book: Spreadsheet, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30", "2023-05-29")))
    for row in range(1, 7):
        label = book.values("Лист1")[row][:2]
        book.put("Лист1", row, 4, {"userEnteredValue": {"stringValue": str(label)}})
    book.sort("Лист1", lambda line: order * line[2], 1)
    sheets.show(daily_report(metrics("2023-05-31", "2023-05-30", "2023-05-29", first=5)))
    lines = book.values("Лист1", 5)[1:]
    assert len(lines) == 9
    assert len({tuple(line[:2]) for line in lines}) == 9
    assert all(line[4] in (None, str(line[:2])) for line in lines)
    assert {line[2] for line in lines if line[1] == ATTEMPTS} == {5}


@pytest.mark.parametrize("title", ["Динамика", "Лист1"])
def test_a_worksheet_that_was_renamed_or_moved_is_still_ours(
    title: str, book: Spreadsheet, sheets: Sheets
) -> None:
    sheets.show(daily_report(metrics("2023-05-30")))
    book.sheet(title)["properties"]["title"] = "Графики 'new'"
    book.sheets.reverse()
    width = 4 if title == "Динамика" else 3

    sheets.show(daily_report(metrics("2023-05-30", "2023-05-31")))

    kept = "Лист1" if title == "Динамика" else "Динамика"
    assert {s["properties"]["title"] for s in book.sheets} == {kept, "Графики 'new'"}
    assert len(book.values("Графики 'new'", width)) == (3 if title == "Динамика" else 7)


def test_a_worksheet_that_was_deleted_comes_back_at_its_place(
    book: Spreadsheet, sheets: Sheets
) -> None:
    def show() -> None:
        more = (
            Table((Column(name, 100), Column("x", 100)), (("a", 1),), worksheet=name)
            for name in ("Курсы", "Часы")
        )
        sheets.show([*daily_report(metrics("2023-05-30")), *more])

    show()
    book.add_sheet("Мой лист", 5)
    tabs = [sheet["properties"]["title"] for sheet in book.sheets]
    for title in ("Динамика", "Курсы", "Лист1"):
        book.sheets.remove(book.sheet(title))
        show()
        assert [sheet["properties"]["title"] for sheet in book.sheets] == tabs
        assert len(book.values(title, 2)) > 1


def test_a_cell_of_the_readers_is_read_and_never_written(book: Spreadsheet, sheets: Sheets) -> None:
    def names(*courses: str) -> Table:
        columns = (Column("Курс", 100), Column("Название", 200, by_readers=True), Column("x", 50))
        return Table(columns, tuple((name, None, 1) for name in courses), worksheet="Названия")

    main = daily_report(metrics("2023-05-30"))
    shown = sheets.show([*main, names("B", "C")])
    assert shown.readers == {"Названия": (("B", None, 1), ("C", None, 1))}
    book.put("Названия", 1, 1, {"userEnteredValue": {"stringValue": "Биология"}})
    shown = sheets.show([*main, names("A", "B", "C")])
    assert shown.readers["Названия"] == (("A", None, 1), ("B", "Биология", 1), ("C", None, 1))
    assert book.values("Названия")[:3] == [
        ["Курс", "Название", "x"], ["A", None, 1], ["B", "Биология", 1],
    ]  # fmt: skip
