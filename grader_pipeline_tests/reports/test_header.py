"""The header of a report is YAML in its leading comment. What is wrong names file and line."""

from pathlib import Path

import pytest

from grader_pipeline.reports.definition import ChartColumns, Label, Picture, Report, ReportError
from grader_pipeline.reports.report_files import read_report

QUERY = "SELECT 1 AS n WHERE %(report_date)s IS NOT NULL"


def read(folder: Path, text: str) -> Report:
    (path := folder / "mine.sql").write_text(text)
    return read_report(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"-- titel: x\n\n{QUERY}", "line 1: unknown key `titel`"),
        (f"-- title: x\n-- columns: y\n\n{QUERY}", "line 2: unknown key `columns`"),
        (f"-- title: x\n-- title: y\n\n{QUERY}", "line 2: a second `title`"),
        (f"-- column n: x\n-- column n of m: y\n\n{QUERY}", "line 2: a second `column n`"),
        (f"-- title:\n\n{QUERY}", "line 1: `title` says nothing"),
        (f"-- title: x\n-- column n: ' '\n\n{QUERY}", "line 2: `column n` says nothing"),
        (f"-- title: x\n-- no colon here\n{QUERY}", "line 2: not `-- key: value`"),
        (f"-- title: x\n-- no colon here\n-- sheet: yes\n\n{QUERY}", "line 2: not `-- key: value`"),
        (f"-- sheet: yes\n\n{QUERY}", "line 1: the worksheet needs a `title`"),
        (f"-- sheet: yes\n-- title: {'x' * 32}\n\n{QUERY}", "line 2: the worksheet needs"),
        (f"-- title: a/b\n-- sheet: yes\n\n{QUERY}", "line 1: the worksheet needs"),
        (f"-- title: x\n-- sheet: often\n\n{QUERY}", "line 2: `often` is not yes, no"),
        (f"-- title: x\n-- sheet: 0 days\n\n{QUERY}", "line 2: `0 days` is not yes, no"),
        (f"-- history: 4 weeks\n\n{QUERY}", "line 1: `4 weeks` is not days"),
        (f"-- chart: pie x=a y=b\n\n{QUERY}", "line 1: a chart is written"),
        (f"-- chart: bar x=a\n\n{QUERY}", "line 1: a chart is written"),
        (f"-- title: x\n-- picture: heat x=a y=b\n\n{QUERY}", "line 2: a picture is written"),
        (f"-- chart: bar x=a y=b top=3\n\n{QUERY}", "line 1: a chart is a line or bar of columns"),
        ("-- title: x\n\nSELECT 1 AS n", "the query asks for no day"),
        ("-- title: x\n\nSELECT 5 % 2\nWHERE %(report_date)s IS NULL", "line 3: write a per cent"),
        ("-- title: x\n\nSELECT %(day)s", "line 3: no parameter is named day"),
    ],
)
def test_a_header_that_means_nothing_is_named_with_file_and_line(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ReportError) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(str(tmp_path / "mine.sql"))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        "за день: все",  # a second mapping
        "Итого:",
        "% от попыток",
        "[что-то] ещё",
        "[что-то]",  # a list
        "{a: b}",
        "'кавычки' в начале",
        '"не закрыто',
        "*все",
        "&все попытки",  # an anchor, which YAML drops
        "!все попытки",  # a tag
        "попытки # 2",  # a comment
        "- попытки",
        "@курс",
        "`task`",
        "\t\x01",
    ],
)
def test_a_value_that_yaml_reads_otherwise_is_refused_until_it_is_quoted(
    tmp_path: Path, value: str
) -> None:
    with pytest.raises(ReportError, match=r"mine\.sql, line 2: .*quotes"):
        read(tmp_path, f"-- title: x\n-- column n: {value}\n-- history: all\n\n{QUERY}")
    if value.isprintable():
        quoted = value.replace("'", "''")
        report = read(tmp_path, f"-- title: x\n-- column n: '{quoted}'\n\n{QUERY}")
        assert report.columns["n"].text == value


def test_a_header_is_read_whole(tmp_path: Path) -> None:
    report = read(
        tmp_path,
        "-- title: 2024\n-- description: Доля, % от всех\n-- sheet: 28 days\n"
        "-- column hour: Час\n-- column share of first: Доля,\n--   %% от всех\n"
        "-- chart: bar x=hour y=share,first\n"
        "-- picture: line x=report_date y=share by=hour only=hour:1,2 days=28 top=5\n"
        f"-- history: 7 days\n--\n-- It counts\n-- `hours`: 5 %%.\n--\n-- Really.\n{QUERY};\n",
    )
    assert (report.title, report.description) == ("2024", "Доля, % от всех")
    assert (report.sheet, report.history) == (28, 7)
    assert report.columns == {"hour": Label("Час"), "share": Label("Доля, %% от всех", "first")}
    assert report.chart == ChartColumns("bar", "hour", ("share", "first"))
    assert report.picture == Picture(
        "line", "report_date", ("share",), "hour", ("hour", ("1", "2")), 28, 5
    )
    assert report.named_columns == [
        (4, "hour"), (5, "first"), (5, "share"), (7, "first"), (7, "hour"), (7, "share"),
        (8, "hour"), (8, "share"),
    ]  # fmt: skip
    assert report.about == "It counts hours: 5 %.\n\nReally."
    assert report.query.split("\n")[14:] == [QUERY]


def test_without_a_picture_the_chart_is_the_picture(tmp_path: Path) -> None:
    report = read(tmp_path, f"-- chart: bar x=a y=b,c\n\n{QUERY}")
    assert report.chart == ChartColumns("bar", "a", ("b", "c"))
    assert report.picture == Picture("bar", "a", ("b", "c"))


@pytest.mark.parametrize(
    "top", ["", "\n", "--\n", "-- Counts hours.\n", "-- Counts\n-- hours.\n\n"]
)
def test_a_file_without_keys_has_no_header(tmp_path: Path, top: str) -> None:
    report = read(tmp_path, top + QUERY)
    assert (report.title, report.sheet, report.columns) == ("", None, {})
    assert report.about == ("Counts hours." if "Counts" in top else "")
    assert report.query == top + QUERY
