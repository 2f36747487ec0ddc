"""Pictures of the reports as files in GRADER_STORAGE. They are drawn when somebody looks.

The file ``pictures/REPORT/DAY.png`` names in its PNG text what it was drawn from: a hash of the
report's rows, its labels and the code that draws. Each look compares that with what the tables hold
now, so a day that was refreshed is never shown with its former picture. Whoever deletes a file has
it drawn again.
"""

import datetime as dt
import hashlib
import inspect
import logging
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from upath import UPath

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.object_store import names, open_file
from grader_pipeline.partitions import SchoolDay, school_day
from grader_pipeline.reports import pictures
from grader_pipeline.reports.definition import Report, Row
from grader_pipeline.reports.names import read_named
from grader_pipeline.reports.privacy import may_be_shown
from grader_pipeline.reports.report_files import reports
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.statements import statement
from grader_pipeline.storage import files_by_day, put, root

log = logging.getLogger(__name__)

_SUFFIX = ".png"


class NoPictureError(Exception):
    """There is no such picture. The text says why."""


def picture(postgres: Postgres, name: str, key: str) -> bytes:
    """The picture of the report ``name`` for the day ``key``, as a PNG of what the tables hold now.

    A storage that fails is logged, and the picture is drawn all the same.

    Raises NoPictureError if the report, the day or the picture does not exist or may not be shown.
    Raises as :class:`Postgres` and :func:`reports` do.
    """
    report = next((report for report in reports() if report.name == name), None)
    if report is None:
        raise NoPictureError("No report has this name. A report is named as its asset.")
    if not may_be_shown(report):
        raise NoPictureError(f"The report {name} stays in the database: it has no worksheet.")
    if report.picture is None:
        raise NoPictureError(f"The header of the report {name} asks for no picture.")
    try:
        day = school_day(key)
    except PermanentFailure as failure:
        raise NoPictureError(str(failure.description)) from failure
    rows = _rows(postgres, report, report.picture.days, day)
    made_of = _made_of(report, rows)
    # From here on the path is safe: a report has this name, and the day is in the calendar.
    file = _folder() / name / f"{day.key}{_SUFFIX}"
    png = _kept(file)
    if png is None or made_of.encode() not in png:
        png = pictures.draw(report, rows, made_of)
        if png is None:
            raise NoPictureError(f"The report {name} of {day.key} has no value to draw.")
        _keep(png, file)
    return png


def _rows(postgres: Postgres, report: Report, days: int, day: SchoolDay) -> list[Row]:
    with postgres.transaction() as db:
        asked = {"report": report.name, **day.parameters}
        if not db.execute(statement("report_tables/is_stored"), asked).rowcount:
            raise NoPictureError(
                f"The report {report.name} of {day.key} is not stored: materialize that day."
            )
        return read_named(db, report, until=day.date, days=days)


def _made_of(report: Report, rows: Sequence[Row]) -> str:
    shown = repr((report.picture, dict(report.columns), rows))
    return hashlib.sha256(_code() + shown.encode()).hexdigest()


@cache
def _code() -> bytes:
    return inspect.getsource(pictures).encode()


def picture_files() -> list[tuple[dt.date, UPath]]:
    """The files of all pictures, each with its day."""
    folder = _folder()
    return [
        found for report in names(folder)
        for found in files_by_day(folder / report, _SUFFIX)
    ]  # fmt: skip


def _folder() -> UPath:
    return root() / "pictures"


def _kept(file: UPath) -> bytes | None:
    try:
        with open_file(file) as kept:
            return kept.read()
    except FileNotFoundError:
        return None
    except Exception as error:  # each object store has errors of its own
        log.warning("A picture cannot be read from the storage, so it is drawn: %s", error)
        return None


def _keep(png: bytes, file: UPath) -> None:
    try:
        with tempfile.NamedTemporaryFile() as drawn:
            drawn.write(png)
            drawn.flush()
            put(Path(drawn.name), file)
    except Exception as error:  # as above
        log.warning("A picture cannot be kept in the storage: %s", error)
