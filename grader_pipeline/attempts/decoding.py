"""Elements of an answer become Arrow columns of typed values.

A value without a typed form becomes null and gives its element a reason: the element is no object,
a field is missing or has another type, a text is no time. The schema decides which typed values are
valid.
"""

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grader_pipeline.attempts import passback
from grader_pipeline.attempts.columns import COLUMNS, PASSBACK, TEXT, TIME, VERDICT, Column, Kind
from grader_pipeline.attempts.response import Element
from grader_pipeline.attempts.schema import Reason, Reasons

_FIELDS = tuple(dict.fromkeys(column.field for column in COLUMNS))

# The garbage collector need not look at them: no value refers back.
_Fields = msgspec.defstruct("_Fields", [(name, Any, msgspec.UNSET) for name in _FIELDS], gc=False)
_decode_fields = msgspec.json.Decoder(_Fields).decode

# A field of an element without a value holds msgspec.UNSET, the reason, or this: another field of
# the element has the reason.
_EXPLAINED: Final = object()
_NOT_AN_OBJECT = _Fields(Reason.NOT_AN_OBJECT, *[_EXPLAINED] * (len(_FIELDS) - 1))

_PASSBACK_TEXT = Column(PASSBACK, TEXT, "The text of a dict.", field=PASSBACK)
# Arrow would read 24:00:00 and second 60 as times of the next day or minute.
_TIME = r"^\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$"
_DATE = len("2023-05-31")
_HALF_PAIR = re.compile("[\ud800-\udfff]")
# A number equal to 0 or 1 is a verdict in each spelling: pandas writes 1.0 in a column with gaps.
_VERDICT_TYPES = frozenset({bool, int, float, type(None)})
_VERDICTS = {None: None, 0: False, 1: True}


def decode(batch: Sequence[Element], columns: Sequence[Column]) -> tuple[pa.Table, Reasons]:
    """The batch as a table of ``columns``, a row for each element, and the reasons found.

    A time is in UTC without a zone. Values are those received, byte for byte.
    """
    reasons: Reasons = {}
    elements = [_fields_of(element) for element in batch]
    of_passback = [column for column in columns if column.field == PASSBACK]
    read = _passbacks(list(map(attrgetter(PASSBACK), elements)), of_passback, reasons)
    for column in columns:
        if column.field != PASSBACK:
            values = list(map(attrgetter(column.field), elements))
            read[column.name] = _ARRAY[column.kind](values, column, reasons)
    return pa.table({column.name: read[column.name] for column in columns}), reasons


def _fields_of(element: Element) -> msgspec.Struct:
    try:
        return _decode_fields(element)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    # A strict parser refuses half a surrogate pair, NaN, 1e999; Python's own reads them.
    try:
        value = json.loads(bytes(element))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return _NOT_AN_OBJECT
    return _Fields(**{name: value[name] for name in _FIELDS if name in value})


def _passbacks(
    values: list[Any], columns: Sequence[Column], reasons: Reasons
) -> dict[str, pa.Array]:
    """The columns that are keys of passback_params.

    A learner tries the same task again and again: each distinct text is read once.
    """
    kind = pa.dictionary(pa.int32(), pa.string())
    texts = _text(values, _PASSBACK_TEXT, reasons, kind, _unreadable)
    distinct = texts.dictionary.to_pylist()
    dicts = list(passback.decode(distinct).values())
    why: Reasons = {
        number: [_unreadable(text)]
        for number, (text, found) in enumerate(zip(distinct, dicts, strict=True))
        if found is None
    }
    read = {}
    for column in columns:
        of_key = [
            _EXPLAINED if found is None else found.get(column.name, msgspec.UNSET)
            for found in dicts
        ]
        read[column.name] = _ARRAY[column.kind](of_key, column, why).take(texts.indices)
    numbers = pc.fill_null(texts.indices, -1).to_numpy()
    for place in np.flatnonzero(np.isin(numbers, list(why))).tolist():
        reasons.setdefault(place, []).extend(why[numbers[place]])
    return read


def _unreadable(text: str) -> Reason:
    if not text:
        return Reason.EMPTY_FIELD
    if len(text) > passback.LONGEST:
        return Reason.TOO_LONG
    return Reason.UNDECODABLE_PASSBACK_PARAMS


def _text(
    values: list[Any],
    column: Column,
    reasons: Reasons,
    kind: pa.DataType = TEXT.arrow,
    why_half_pair: Callable[[str], Reason] = lambda _: Reason.FORBIDDEN_CHARACTER,
) -> pa.Array:
    for place in [place for place, found in enumerate(map(type, values)) if found is not str]:
        _refuse(place, values, _reason(values[place], column), reasons)
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        pass
    # Python reads half a surrogate pair as text. Neither UTF-8 nor PostgreSQL can hold it.
    for place, value in enumerate(values):
        if value and not value.isascii() and _HALF_PAIR.search(value):
            _refuse(place, values, why_half_pair(value), reasons)
    return pa.array(values, kind)


def _verdict(values: list[Any], column: Column, reasons: Reasons) -> pa.Array:
    odd = [p for p, v in enumerate(values) if type(v) not in _VERDICT_TYPES or v not in _VERDICTS]
    for place in odd:
        value = values[place]
        # NaN and Infinity are no numbers of JSON.
        is_number = type(value) is int or (type(value) is float and math.isfinite(value))
        reason = Reason.UNEXPECTED_VALUE if is_number else _reason(value, column)
        _refuse(place, values, reason, reasons)
    return pa.array([_VERDICTS[v] for v in values], VERDICT.arrow)


def _time(values: list[Any], column: Column, reasons: Reasons) -> pa.Array:
    texts = _text(values, column, reasons)
    is_clock = pc.match_substring_regex(texts, _TIME)
    dates = pc.utf8_slice_codeunits(texts, 0, _DATE)
    of_calendar = filter(_is_date, pc.unique(dates.filter(is_clock)).to_pylist())
    is_time = pc.and_(is_clock, pc.is_in(dates, pa.array(of_calendar, TEXT.arrow)))
    for place in np.flatnonzero(pc.invert(pc.fill_null(is_time, True))).tolist():
        reason = Reason.BAD_TIMESTAMP if values[place] else Reason.EMPTY_FIELD
        reasons.setdefault(place, []).append(reason)
    return pc.if_else(is_time, texts, None).cast(TIME.arrow)


def _is_date(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


_ARRAY: dict[Kind, Callable[[list[Any], Column, Reasons], pa.Array]] = {
    TEXT: _text, VERDICT: _verdict, TIME: _time
}  # fmt: skip


def _reason(value: object, column: Column) -> Reason | None:
    """Why a value of another type is refused; None if it is not, or if another field says why."""
    if isinstance(value, Reason):
        return value
    if value is _EXPLAINED:
        return None
    if value is msgspec.UNSET:
        return None if column.presence == "optional" else Reason.MISSING_FIELD
    if value is None:
        return Reason.NULL_FIELD if column.presence == "required" else None
    return Reason.WRONG_TYPE


def _refuse(place: int, values: list[Any], reason: Reason | None, reasons: Reasons) -> None:
    """Put a null in place of the value, and record the reason if there is one."""
    values[place] = None
    if reason is not None:
        reasons.setdefault(place, []).append(reason)
