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
from grader_pipeline.attempts.columns import (
    COLUMNS,
    DISTINCT,
    PASSBACK,
    TEXT,
    TIME,
    VERDICT,
    Column,
    Kind,
)
from grader_pipeline.attempts.response import Element
from grader_pipeline.attempts.schema import Reason, Reasons

_FIELDS = tuple(dict.fromkeys(column.field for column in COLUMNS))

# The garbage collector need not look at them: no value refers back.
_Fields = msgspec.defstruct("_Fields", [(name, Any, msgspec.UNSET) for name in _FIELDS], gc=False)
_decode_fields = msgspec.json.Decoder(_Fields).decode
# Nearly every element has all fields, each with a value of a type that its column may have.
_TYPES = {TEXT: str, TIME: str, VERDICT: bool | int | float | None}
_USUAL = {c.field: str if c.field == PASSBACK else _TYPES[c.kind] for c in COLUMNS}
_Usual = msgspec.defstruct("_Usual", _USUAL.items(), gc=False)
_decode_usual = msgspec.json.Decoder(_Usual).decode

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

    Texts are dictionaries of distinct values. A time is in UTC without a zone. Values are those
    received, byte for byte.
    """
    reasons: Reasons = {}
    elements: list[msgspec.Struct] = []
    odd: list[int] = []
    rest = iter(batch)
    while len(elements) < len(batch):
        try:
            # Adds those before one that raises.
            elements.extend(map(_decode_usual, rest))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            place = len(elements)
            odd.append(place)
            elements.append(_fields_of(batch[place]))
    of_passback = [column for column in columns if column.field == PASSBACK]
    read = _passbacks(list(map(attrgetter(PASSBACK), elements)), of_passback, odd, reasons)
    for column in columns:
        if column.field != PASSBACK:
            values = list(map(attrgetter(column.field), elements))
            read[column.name] = _ARRAY[column.kind](values, column, odd, reasons)
    return pa.table({column.name: read[column.name] for column in columns}), reasons


def _fields_of(element: Element) -> msgspec.Struct:
    """The fields of an element that has a value of another type, or none, or is no object."""
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
    values: list[Any], columns: Sequence[Column], odd: Sequence[int], reasons: Reasons
) -> dict[str, pa.Array]:
    """The columns that are keys of passback_params.

    A learner tries the same task again and again: each distinct text is read once.
    """
    texts = _text(values, _PASSBACK_TEXT, odd, reasons, why_half_pair=_unreadable)
    usual = list(passback.usual(texts.dictionary))
    is_other = np.ones(len(texts.dictionary), bool)
    for places, _ in usual:
        is_other[places] = False
    others = texts.dictionary.filter(pa.array(is_other)).to_pylist()
    dicts = list(passback.decode(others).values())
    why: Reasons = {
        number: [_unreadable(text)]
        for number, (text, found) in enumerate(zip(others, dicts, strict=True))
        if found is None
    }
    read = {}
    # The distinct texts in another order: first the others, then the usual ones.
    order = np.concatenate([np.flatnonzero(is_other), *(places for places, _ in usual)])
    for at, column in enumerate(columns):
        of_key = [
            _EXPLAINED if found is None else found.get(column.name, msgspec.UNSET)
            for found in dicts
        ]
        arrays = [_ARRAY[column.kind](of_key, column, range(len(of_key)), why)]
        for places, found in usual:
            if at < len(found):
                arrays.append(found[at].dictionary_encode())
                continue
            first = sum(map(len, arrays))
            arrays.append(pa.nulls(len(places), DISTINCT))
            if reason := _reason(msgspec.UNSET, column):
                for number in range(first, first + len(places)):
                    why.setdefault(number, []).append(reason)
        read[column.name] = pa.concat_arrays(arrays)
    number_of = np.empty(len(order), "i4")
    number_of[order] = np.arange(len(order), dtype="i4")
    numbers = pa.array(number_of).take(texts.indices)
    for place in np.flatnonzero(pc.is_in(numbers, pa.array(why, pa.int32()))).tolist():
        reasons.setdefault(place, []).extend(why[numbers[place].as_py()])
    return {name: array.take(numbers) for name, array in read.items()}


def _unreadable(text: str) -> Reason:
    if not text:
        return Reason.EMPTY_FIELD
    if len(text) > passback.LONGEST:
        return Reason.TOO_LONG
    return Reason.UNDECODABLE_PASSBACK_PARAMS


def _text(
    values: list[Any],
    column: Column,
    odd: Sequence[int],
    reasons: Reasons,
    kind: pa.DataType = DISTINCT,
    why_half_pair: Callable[[str], Reason] = lambda _: Reason.FORBIDDEN_CHARACTER,
) -> pa.Array:
    """The texts. What is none, or cannot be stored, is at ``odd`` places only."""
    for place in odd:
        value = values[place]
        if type(value) is not str:
            _refuse(place, values, _reason(value, column), reasons)
        # Python reads half a surrogate pair as text. Neither UTF-8 nor PostgreSQL can hold it.
        elif not value.isascii() and _HALF_PAIR.search(value):
            _refuse(place, values, why_half_pair(value), reasons)
    return pa.array(values, kind)


def _verdict(values: list[Any], column: Column, odd: Sequence[int], reasons: Reasons) -> pa.Array:
    for place in odd:
        value = values[place]
        # NaN and Infinity are no numbers of JSON.
        if type(value) not in _VERDICT_TYPES or (type(value) is float and not math.isfinite(value)):
            _refuse(place, values, _reason(value, column), reasons)
    unexpected = set(values).difference(_VERDICTS)
    if unexpected:
        for place in [place for place, value in enumerate(values) if value in unexpected]:
            _refuse(place, values, Reason.UNEXPECTED_VALUE, reasons)
    return pa.array([_VERDICTS[value] for value in values], VERDICT.arrow)


def _time(values: list[Any], column: Column, odd: Sequence[int], reasons: Reasons) -> pa.Array:
    texts = _text(values, column, odd, reasons, TEXT.arrow)
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


_ARRAY: dict[Kind, Callable[[list[Any], Column, Sequence[int], Reasons], pa.Array]] = {
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
