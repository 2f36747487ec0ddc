"""The reports: the files of ``sql/reports`` and of the folder GRADER_REPORTS. One file, one report.

``NAME.sql`` is one query about one day. Its rows fill the day's part of the table NAME: the column
``report_date`` and the query's columns. Parameters are bound: ``report_date`` (the day),
``day_start`` and ``day_end`` (its half-open window in UTC), ``timezone`` (the school's). A per cent
sign is written ``%%``, in comments too.

The comment at the top of the file is the header, up to its first empty line or ``--``. It is YAML,
a key a line. A value that has a colon and a blank in it, or begins with a sign, needs quotes::

    -- title: Задания                        the worksheet's name
    -- description: …                        a sentence for readers
    -- sheet: yes                            or 28 days, 1 day: the newest of them;
                                             no, or nothing: it stays in the database
    -- dimension course: Курс                a column that is shown, with its heading: a dimension
    -- dimension task in course: Задание     the one whose lines are merged, within its parents
    -- learners tried: Пробовали             a count of learners; the first without `of` is the base
    -- learners tried listed in few: …       `few` has their numbers if they are fewer than five
    -- learners solved of tried: Решили      a part of another count's learners
    -- sum attempts of tried: Попыток        a count of those learners' attempts; can be added up
    -- column share of solved: …             any other figure of those learners
    -- column value of day: …                a total of the whole day, always shown
    -- chart: bar x=task y=solved            beside the worksheet's table; bar or line
    -- picture: heat x=hour by=report_date y=attempts days=28
                                             in the Dagster UI and the page; the chart if absent
    -- plot: value by metric                 each line is a metric: Dagster plots `value` over the
                                             days; `metric` names it for programs
    -- units: value by unit or text          the unit of each `value` (units.py), and a text that is
                                             shown in its place
    -- unit share: percent                   of all cells of a column: percent, change (in per cent,
                                             with its sign), clock (minutes after midnight), or
                                             hour (0 to 23)
    -- unusual share: below 20               marked on the worksheet: below or above a number, or
                                             `text …` for texts that have it in them
    -- details: share, tried                 columns that a new worksheet has folded away
    -- tab: 20                               the worksheet's place: the smallest number is leftmost
    -- formerly tried: Юзеров | Пробовали    former headings of a column, former labels of a metric
    -- behind tried: day, is_submit           the attempts that `trace` shows (see behind.py)
    -- history: 28 days                      how far back it reads, its own day included; or all

The comment below the header says in English what the report means. Dagster's UI shows it.

Rows are shown in the order of the table's columns, newest day first. What the header does not
declare stays in the database. Lines about fewer than five learners, as the base counts them, are
merged: ``privacy.py``.
"""

import logging
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import dropwhile, takewhile
from pathlib import Path
from zlib import crc32

from dagster._core.definitions.utils import DISALLOWED_NAMES

from grader_pipeline.asset_names import ASSET_NAMES, DAILY_METRICS
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.reports.definition import (
    CHART_WORKSHEET,
    NAMES_WORKSHEET,
    TODAY_WORKSHEET,
    Report,
    ReportError,
    place,
)
from grader_pipeline.reports.header import read_header, report_of
from grader_pipeline.resources.migrations import relations
from grader_pipeline.settings import Settings
from grader_pipeline.statements import SQL, files

log = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PARAMETER = re.compile(r"%\((\w+)\)s")
# Made for each day by the function prepare_reports (sql/schema).
_TABLES_OF_THE_DAY = {"recent_engagement", "learner_state", "task_all_time", "learner_hour"}
_KNOWN_PARAMETERS = {"report_date", "day_start", "day_end", "timezone"}


def reports() -> list[Report]:
    """All reports, in the order of their names. A wrong file stops no other: it has a ``problem``.

    Raises FileNotFoundError if ``sql/reports`` has no file, PermanentFailure for other unusable
    sets: a folder GRADER_REPORTS without reports, one name in both folders, files in
    ``sql/metrics``.
    """
    paths = _files()
    states = tuple((state.st_mtime_ns, state.st_size) for state in map(Path.stat, paths))
    return list(_read(tuple(paths), states))


@lru_cache(maxsize=2)
def _read(paths: Sequence[Path], _states: object) -> list[Report]:
    """The reports of the files in this state. A run asks three times; a reading takes 25 ms."""
    found: list[Report] = []
    titles = {CHART_WORKSHEET, NAMES_WORKSHEET, TODAY_WORKSHEET}
    for path in paths:
        try:
            report = read_report(path)
            if report.sheet and report.title in titles:
                raise ReportError(  # noqa: TRY301
                    f"{place(path)}: another worksheet is named «{report.title}»."
                )
        except ReportError as error:
            log.warning("%s", error)
            misnamed = f"misnamed_{crc32(path.name.encode())}"
            name = path.stem if _can_be_named(path.stem) else misnamed
            report = Report(name=name, path=path, problem=str(error))
        if report.sheet:
            titles.add(report.title)
        found.append(report)
    return found


def read_report(path: Path) -> Report:
    """Read a report's file. Raises ReportError."""
    if not _can_be_named(path.stem):
        raise ReportError(
            f"{place(path)}: a report cannot be named so. Use small Latin letters, digits and _, "
            "and no name of another asset or table, nor a word of Python's."
        )
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ReportError(f"{place(path)}: not UTF-8.") from error
    fields, height = read_header(path, lines)
    query = "\n" * height + re.sub(r";\s*\Z", "", "\n".join(lines[height:]))
    _check_parameters(path, query)
    return report_of(path, {**fields, "about": _about(lines[height:]), "query": query})


def _files() -> list[Path]:
    former = sorted(path.name for path in SQL.glob("metrics/[!.]*"))
    if former:
        raise PermanentFailure(
            f"sql/metrics has files ({', '.join(former)}), and reports are in sql/reports now. "
            "Move them there, or to the folder of GRADER_REPORTS."
        )
    found = {path.stem: path for path in files("reports")}
    if folder := Settings().grader_reports:
        further = {path.stem: path for path in folder.glob("*.sql")}
        if not further:
            raise PermanentFailure(
                f"GRADER_REPORTS: {folder} has no .sql file. Put reports there, or unset it."
            )
        for name in sorted(found.keys() & further):
            raise PermanentFailure(
                f"{place(found[name])} and {place(further[name])} have the same name. Rename one."
            )
        found |= further
    return [found[name] for name in sorted(found)]


def _about(lines: Sequence[str]) -> str:
    """The first comment of these lines as plain text: a paragraph a line, and no backticks."""
    below = dropwhile(lambda line: not line.strip("- "), lines)
    comment = takewhile(lambda line: line.startswith("--"), below)
    text = "\n".join(line.removeprefix("--").strip() for line in comment)
    paragraphs = re.split(r"\n{2,}", text.strip())
    joined = "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)
    return joined.replace("%%", "%").replace("`", "")


def _check_parameters(path: Path, query: str) -> None:
    """Raises ReportError unless the query asks for a day and doubles every other per cent sign."""
    for number, line in enumerate(query.split("\n"), start=1):
        unknown = set(_PARAMETER.findall(line)) - _KNOWN_PARAMETERS
        if unknown:
            raise ReportError(f"{place(path, number)}: no parameter is named {min(unknown)}.")
        if "%" in _PARAMETER.sub("", line).replace("%%", ""):
            raise ReportError(f"{place(path, number)}: write a per cent sign twice, as %%.")
    asks = set(_PARAMETER.findall(query)) | (_TABLES_OF_THE_DAY & set(re.findall(r"\w+", query)))
    if not asks & {"report_date", "day_start", *_TABLES_OF_THE_DAY}:
        raise ReportError(
            f"{place(path)}: the query asks for no day. Use %(report_date)s, or %(day_start)s "
            f"and %(day_end)s, or the tables {' and '.join(sorted(_TABLES_OF_THE_DAY))}."
        )


def _can_be_named(name: str) -> bool:
    """Whether an asset and a table can have that name, and nothing else has it."""
    return bool(_NAME.fullmatch(name)) and name not in _taken_names()


@cache
def _taken_names() -> frozenset[str]:
    # PostgreSQL finds a temporary table before the table of a report with the same name.
    tables = (relations().keys() - {DAILY_METRICS}) | _TABLES_OF_THE_DAY
    return frozenset({*ASSET_NAMES, *tables, *DISALLOWED_NAMES})
