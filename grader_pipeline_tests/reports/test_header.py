"""The header of a report is YAML in its leading comment. What is wrong names file and line."""

from pathlib import Path

import pytest

from grader_pipeline.reports.behind import Behind
from grader_pipeline.reports.definition import Report, ReportColumn, ReportError
from grader_pipeline.reports.header_values import ChartColumns, Picture, Plot, Unusual
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
        (f"-- column n of day: x\n-- column n of day: y\n\n{QUERY}", "line 2: a second `column n`"),
        (f"-- title:\n\n{QUERY}", "line 1: `title` says nothing"),
        (
            f"-- title: x\n-- column n of day: ' '\n\n{QUERY}",
            "line 2: `column n of day` says nothing",
        ),
        (f"-- title: x\n-- behind n:\n\n{QUERY}", "line 2: `behind n` says nothing"),
        (f"-- formerly n: x\n-- formerly n: y\n\n{QUERY}", "line 2: a second `formerly n`"),
        (f"-- formerly: x\n\n{QUERY}", "line 1: unknown key `formerly`"),
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
        (f"-- title: x\n-- tab: 0\n\n{QUERY}", "line 2: `0` is no whole number from 1"),
        (f"-- title: x\n-- unit n: percent\n\n{QUERY}", "line 2: the column n is not declared"),
        (f"-- title: x\n-- details: n\n\n{QUERY}", "line 2: the column n is not declared"),
        (f"-- column n of day: x\n-- unit n: hours\n\n{QUERY}", "line 2: `hours` is not one of"),
        (f"-- title: x\n-- unusual n: below 2\n\n{QUERY}", "line 2: the column n is not declared"),
        (f"-- title: x\n-- unusual n: under 2\n\n{QUERY}", "line 2: what is unusual is written"),
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
        read(tmp_path, f"-- title: x\n-- column n of day: {value}\n-- history: all\n\n{QUERY}")
    if value.isprintable():
        quoted = value.replace("'", "''")
        report = read(tmp_path, f"-- title: x\n-- column n of day: '{quoted}'\n\n{QUERY}")
        assert report.columns["n"].text == value


def test_a_header_is_read_whole(tmp_path: Path) -> None:
    report = read(
        tmp_path,
        "-- title: 2024\n-- description: Доля, % от всех\n-- sheet: 28 days\n"
        "-- dimension hour: Час\n-- learners first: Первые\n"
        "-- column share of first: Доля,\n--   %% от всех\n"
        "-- unit share: percent\n-- unusual share: below 2.5\n-- unusual hour: text 03\n"
        "-- details: share, first\n-- tab: 20\n"
        "-- chart: bar x=hour y=share,first\n"
        "-- picture: line x=report_date y=share by=hour only=hour:1,2 days=28 top=5\n"
        f"-- history: 7 days\n--\n-- It counts\n-- `hours`: 5 %%.\n--\n-- Really.\n{QUERY};\n",
    )
    assert (report.title, report.description) == ("2024", "Доля, % от всех")
    assert (report.sheet, report.history) == (28, 7)
    assert report.columns == {
        "hour": ReportColumn("dimension", "Час"),
        "first": ReportColumn("learners", "Первые"),
        "share": ReportColumn("column", "Доля, %% от всех", "first"),
    }
    assert report.chart == ChartColumns("bar", "hour", ("share", "first"))
    assert report.picture == Picture(
        "line", "report_date", ("share",), "hour", ("hour", ("1", "2")), 28, 5
    )
    assert report.named_columns == [
        (4, "hour"), (5, "first"), (6, "share"), (13, "first"), (13, "hour"), (13, "share"),
        (14, "hour"), (14, "share"),
    ]  # fmt: skip
    assert (report.unit, report.tab) == ({"share": "percent"}, 20)
    assert report.unusual == {"share": Unusual("below", 2.5), "hour": Unusual("text", "03")}
    assert report.details == ("share", "first")
    assert report.about == "It counts hours: 5 %.\n\nReally."
    assert report.query.split("\n")[20:] == [QUERY]


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


def test_what_a_header_says_of_a_column_or_metric_is_kept(tmp_path: Path) -> None:
    report = read(
        tmp_path,
        "-- title: x\n-- sheet: yes\n-- column label of day: Показатель\n"
        "-- column value of day: Значение\n-- plot: value by metric\n"
        "-- formerly submits: Всего | Попыток, 5 % | Отправлено\n-- formerly value: Число\n"
        f"-- behind submits: day, is_submit\n\n{QUERY}",
    )
    assert report.plot == Plot("value", "metric")
    assert report.formerly == {
        "submits": ("Всего", "Попыток, 5 %", "Отправлено"),
        "value": ("Число",),
    }
    assert report.behind == {"submits": Behind("day", condition="is_submit")}
    assert report.named_columns == [(3, "label"), (4, "value"), (5, "metric"), (5, "value")]


SHOWN = "-- title: x\n-- sheet: yes\n"
GROUPS = f"{SHOWN}-- dimension course: К\n-- learners users: Ю\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{SHOWN}-- column n: x\n", "line 3: `column n` does not say what the column is. Write"),
        ("-- column n: x\n", "line 1: `column n` does not say what the column is. Write"),
        (f"{SHOWN}-- sum n: x\n", "line 3: `sum n` does not say what the column is. Write"),
        (f"{GROUPS}-- learners n of users of users: x\n", "line 5: `learners n of users of"),
        (f"{GROUPS}-- column n of usrs: x\n", "line 5: `of usrs` names no count of learners"),
        (f"{GROUPS}-- column n of course: x\n", "line 5: `of course` names no count of learners"),
        (f"{GROUPS}-- learners n of n: x\n", "line 5: `of n` names no count of learners"),
        (f"{GROUPS}-- learners n of day: x\n", "line 5: `of day` names no count of learners"),
        (f"{GROUPS}-- learners day: x\n", "line 5: `day` is the whole day"),
        (f"{GROUPS}-- learners before: x\n-- sum n of before: y\n", "line 6: a sum is of the lea"),
        (f"{GROUPS}-- dimension task in curse: x\n", "line 5: `in curse` names no other dimension"),
        (f"{GROUPS}-- dimension task in users: x\n", "line 5: `in users` names no other dimension"),
        (f"{GROUPS}-- dimension task in task: x\n", "line 5: `in task` names no other dimension"),
        (f"{GROUPS}-- dimension task: x\n", "line 5: one of several dimensions"),
        (f"{GROUPS}-- dimension task in course: x\n-- dimension state in course: y\n",
         "line 6: one of several dimensions"),
        (f"{SHOWN}-- dimension course: x\n", "line 3: a dimension names groups of learners"),
        (f"{SHOWN}-- learners users: x\n", "line 3: a count of learners is about a line"),
        (SHOWN, "line 2: a worksheet shows only the columns that the header declares. Write"),
        (f"{GROUPS}-- chart: bar x=task y=users\n", "line 5: the column task is not declared"),
        (f"{GROUPS}-- picture: bar x=course y=n\n", "line 5: the column n is not declared"),
        (f"{GROUPS}-- picture: bar x=course y=users by=state\n", "line 5: the column state is not"),
        (f"{GROUPS}-- picture: bar x=course y=users only=state:a\n", "line 5: the column state is"),
        (f"{GROUPS}-- plot: users by user_id\n", "line 5: the column user_id is not declared"),
        (f"{SHOWN}-- column n of day: x\n-- plot: m by metric\n", "line 4: the column m is not"),
        (f"{GROUPS}-- plot: users\n", "line 5: a plot is written as `column by column`"),
    ],
)  # fmt: skip
def test_a_declaration_that_does_not_say_enough_is_named_with_what_to_write(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ReportError) as raised:
        read(tmp_path, f"{text}\n{QUERY}")
    assert str(raised.value).startswith(str(tmp_path / "mine.sql"))
    assert said in str(raised.value)


def test_the_columns_of_a_header_say_what_each_of_them_is(tmp_path: Path) -> None:
    report = read(
        tmp_path,
        f"{GROUPS}-- learners users_before: a\n-- learners solved of submitted: b\n"
        "-- learners submitted of users listed in few: c\n-- sum submits of submitted: d\n"
        "-- column share of users_before: e\n-- column days of day: f\n"
        f"-- dimension task in course, period: g\n-- dimension period: h\n\n{QUERY}",
    )
    assert report.columns == {
        "course": ReportColumn("dimension", "К"),
        "users": ReportColumn("learners", "Ю"),
        "users_before": ReportColumn("learners", "a"),
        "solved": ReportColumn("learners", "b", "submitted"),
        "submitted": ReportColumn("learners", "c", "users", "few"),
        "submits": ReportColumn("sum", "d", "submitted"),
        "share": ReportColumn("column", "e", "users_before"),
        "days": ReportColumn("column", "f", "day"),
        "task": ReportColumn("dimension", "g", parents=("course", "period")),
        "period": ReportColumn("dimension", "h"),
    }
    assert list(report.columns)[-2:] == ["task", "period"]
    assert (report.base, report.breakdown) == ("users", "task")
    assert (7, "few") in report.named_columns
    assert read(tmp_path, f"{GROUPS}\n{QUERY}").breakdown == "course"
