"""The twin of decoding and schema: one element at a time, in plain Python, slow and exact."""

import ast
import datetime as dt
import json
import math
import re
import warnings
from collections.abc import Sequence
from typing import Any

from grader_pipeline.attempts.columns import PASSBACK, TEXT, VERDICT, Column
from grader_pipeline.attempts.passback import LONGEST

_MISSING, _EXPLAINED = object(), object()
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def exact(
    element: bytes, columns: Sequence[Column], start: dt.datetime, end: dt.datetime
) -> tuple[dict[str, Any], list[str]]:
    """The typed values of an element, None where it has none, and the words of its reasons.

    ``start`` and ``end`` are UTC without a zone.
    """
    names = [column.name for column in columns]
    try:
        fields = json.loads(element)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return dict.fromkeys(names), ["not_an_object"]
    reasons: set[str] = set()
    keys = _keys(fields.get(PASSBACK, _MISSING), reasons)
    values = {
        column.name: _value(
            keys.get(column.name, _MISSING)
            if column.field == PASSBACK and keys is not None
            else _EXPLAINED
            if column.field == PASSBACK
            else fields.get(column.field, _MISSING),
            column,
            reasons,
        )
        for column in columns
    }
    created_at = values["created_at"]
    if created_at is not None and not start <= created_at < end:
        reasons.add("outside_window")
    return values, sorted(reasons)


def _keys(text: Any, reasons: set[str]) -> dict | None:
    if not isinstance(text, str):
        reasons.add(_why(text))
        return None
    if not text or len(text) > LONGEST:
        reasons.add("too_long" if text else "empty_field")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, dict):
        reasons.add("undecodable_passback_params")
        return None
    return found


def _why(value: Any) -> str:
    return {_MISSING: "missing_field", None: "null_field"}.get(
        value if value is None or value is _MISSING else 0, "wrong_type"
    )


def _value(value: Any, column: Column, reasons: set[str]) -> Any:  # noqa: PLR0911 - a rule each
    if value is _EXPLAINED:
        return None
    if value is _MISSING:
        if column.presence != "optional":
            reasons.add("missing_field")
        return None
    if value is None:
        if column.presence == "required":
            reasons.add("null_field")
        return None
    if column.kind == VERDICT:
        return _verdict(value, reasons)
    if not isinstance(value, str):
        reasons.add("wrong_type")
        return None
    if _HALF_PAIR.search(value):
        reasons.add("forbidden_character")
        return None
    if not value and column.presence == "required":
        reasons.add("empty_field")
    if column.kind == TEXT:
        _check_text(value, column, reasons)
        return value
    return _time(value, reasons)


def _verdict(value: Any, reasons: set[str]) -> bool | None:
    if not isinstance(value, int | float) or not (isinstance(value, int) or math.isfinite(value)):
        reasons.add("wrong_type")
    elif value not in {0, 1}:
        reasons.add("unexpected_value")
    else:
        return bool(value)
    return None


def _check_text(value: str, column: Column, reasons: set[str]) -> None:
    if column.words:
        if value and value not in column.words:
            reasons.add("unexpected_value")
        return
    if "\0" in value:
        reasons.add("forbidden_character")
    if column.longest and len(value) > column.longest:
        reasons.add("too_long")


def _time(value: str, reasons: set[str]) -> dt.datetime | None:
    if not value:
        return None
    form = "%Y-%m-%d %H:%M:%S" + (".%f" if "." in value else "")
    try:
        # strptime takes no 24:00:00, and datetime no second 60.
        moment = dt.datetime.strptime(value, form)
    except ValueError:
        moment = None
    if moment is None or not _TIME.fullmatch(value):
        reasons.add("bad_timestamp")
        return None
    return moment
