"""Elements of an answer become columns of typed values.

A value without a typed form becomes null and gives its element a reason: the element is no object,
a field is missing or has another type, a text is no time. The schema decides which typed values are
valid.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
import pandas as pd
import pyarrow as pa

from grader_pipeline.attempts import passback
from grader_pipeline.attempts.columns import COLUMNS, PASSBACK, TEXT, TIME, VERDICT, Column, Kind
from grader_pipeline.attempts.response import Element
from grader_pipeline.attempts.schema import Reason, Reasons

_FIELDS = tuple(dict.fromkeys(column.field for column in COLUMNS))
_KEYS = tuple(column.name for column in COLUMNS if column.field == PASSBACK)

# The garbage collector need not look at them: no value refers back.
_Fields = msgspec.defstruct("_Fields", [(name, Any, msgspec.UNSET) for name in _FIELDS], gc=False)
_Passback = msgspec.defstruct("_Passback", _KEYS, gc=False)
_decode_fields = msgspec.json.Decoder(_Fields).decode

# A field of an element without a value holds msgspec.UNSET, the reason, or this: another field of
# the element has the reason.
_EXPLAINED: Final = object()
_NOT_AN_OBJECT = _Fields(Reason.NOT_AN_OBJECT, *[_EXPLAINED] * (len(_FIELDS) - 1))

_TIME = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?"
_HALF_PAIR = re.compile("[\ud800-\udfff]")
# A number equal to 0 or 1 is a verdict in each spelling: pandas writes 1.0 in a column with gaps.
_VERDICT_TYPES = frozenset({bool, int, float, type(None)})
_VERDICTS = {None: None, 0: False, 1: True}


def decode(batch: Sequence[Element], columns: Sequence[Column]) -> tuple[pd.DataFrame, Reasons]:
    """The batch as a frame of ``columns``, a row for each element, and the reasons found.

    Text is ``str``, a verdict is nullable ``boolean``, a time is ``datetime64[us]`` in UTC without
    a zone. Values are those received, byte for byte.
    """
    reasons: Reasons = {}
    elements = [_fields_of(element) for element in batch]
    # A learner tries the same task again and again: each distinct text is read once.
    texts = list(map(attrgetter(PASSBACK), elements))
    distinct = {text for text in texts if type(text) is str}
    read = {text: _passback(text, found) for text, found in passback.decode(distinct).items()}
    passbacks = [read[text] if type(text) is str else _without_keys(text) for text in texts]
    frame = {}
    for column in columns:
        is_key = column.field == PASSBACK
        name, rows = (column.name, passbacks) if is_key else (column.field, elements)
        values = list(map(attrgetter(name), rows))
        frame[column.name] = _SERIES[column.kind](values, column, reasons)
    return pd.DataFrame(frame), reasons


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


def _passback(text: str, found: dict[object, object] | None) -> msgspec.Struct:
    if found is not None:
        return _Passback(*(found.get(key, msgspec.UNSET) for key in _KEYS))
    if not text:
        return _without_keys(Reason.EMPTY_FIELD)
    if len(text) > passback.LONGEST:
        return _without_keys(Reason.TOO_LONG)
    return _without_keys(Reason.UNDECODABLE_PASSBACK_PARAMS)


def _without_keys(instead: object) -> msgspec.Struct:
    """If passback_params cannot be read, record the reason once, on lis_result_sourcedid."""
    return _Passback(**{**dict.fromkeys(_KEYS, _EXPLAINED), "lis_result_sourcedid": instead})


def _text(values: list[Any], column: Column, reasons: Reasons) -> "pd.Series[str]":
    for place in [p for p, v in enumerate(values) if type(v) is not str or not v.isascii()]:
        value = values[place]
        if type(value) is not str:
            _refuse(place, values, _reason(value, column), reasons)
        elif _HALF_PAIR.search(value):
            # Python reads half a surrogate pair as text. Neither UTF-8 nor PostgreSQL can hold it.
            _refuse(place, values, Reason.FORBIDDEN_CHARACTER, reasons)
    # Directly to Arrow: pandas would make an array of objects first.
    return pd.Series(pd.array(pa.array(values, pa.string()), dtype="str"))


def _verdict(values: list[Any], column: Column, reasons: Reasons) -> pd.Series:
    odd = [p for p, v in enumerate(values) if type(v) not in _VERDICT_TYPES or v not in _VERDICTS]
    for place in odd:
        value = values[place]
        # NaN and Infinity are no numbers of JSON.
        is_number = type(value) is int or (type(value) is float and math.isfinite(value))
        reason = Reason.UNEXPECTED_VALUE if is_number else _reason(value, column)
        _refuse(place, values, reason, reasons)
    return pd.Series([_VERDICTS[v] for v in values], dtype="boolean")


def _time(values: list[Any], column: Column, reasons: Reasons) -> pd.Series:
    texts = _text(values, column, reasons)
    # pandas counts a year 0, PostgreSQL and Python do not.
    written = texts.where(texts.str.fullmatch(_TIME) & ~texts.str.startswith("0000"), None)
    times = pd.to_datetime(written, format="ISO8601", errors="coerce").astype("datetime64[us]")
    for place in texts.index[times.isna() & texts.notna()]:
        reason = Reason.BAD_TIMESTAMP if texts[place] else Reason.EMPTY_FIELD
        reasons.setdefault(place, []).append(reason)
    return times


_SERIES: dict[Kind, Callable[[list[Any], Column, Reasons], pd.Series]] = {
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
