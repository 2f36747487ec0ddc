"""Ids of course runs: their parts, and the order in which people read them."""

import re

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATE = re.compile(rf"(\d{{0,2}})({'|'.join(_MONTHS)})[A-Z]*(\d{{4}})", re.IGNORECASE)


def parts(course: str) -> tuple[str, str]:
    """A course's id without its run, and the run: the last part of an id of Open edX."""
    sign = "+" if "+" in course else "/"
    name, found, run = course.rpartition(sign)
    return (name, run) if found else (course, "")


def sortable_run(run: str) -> str:
    """A run with its date as year, month and day: 28FEB2021 is 2021-02-28."""
    if not (found := _DATE.search(run)):
        return run
    day, month, year = found.groups()
    number = _MONTHS.index(month.upper()) + 1
    return f"{run[: found.start()]}{year}-{number:02}-{int(day or 0):02}{run[found.end() :]}"


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key in which 2.10 is after 2.9."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts if p]
