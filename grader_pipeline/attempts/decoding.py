"""Elements of a response become columns of typed values.

What has no typed value (an element that is no object, a field that is missing or of another type,
a time that is none) gets its reason here and a null in its column. Which values are fit to be
loaded is the schema's question, not asked here.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa

from grader_pipeline.attempts import passback
from grader_pipeline.attempts.response import Element

Reasons = dict[int, list[str]]
"""Why an element is refused, by its place in the batch."""

COLUMNS = (
    "user_id",
    "oauth_consumer_key",
    "lis_result_sourcedid",
    "lis_outcome_service_url",
    "is_correct",
    "attempt_type",
    "created_at",
)

REQUIRED = ["user_id", "lis_result_sourcedid", "attempt_type", "created_at"]
"""The columns without which there is no attempt."""

_TIME = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?"


class _Refused(str):
    """Stands in a field for a value that could not be had: the word is the reason."""

    __slots__ = ()


_TOLD = _Refused("")
"""Another field of the same element already tells why this one is not there."""


class _Fields(msgspec.Struct, gc=False):
    lti_user_id: Any = msgspec.UNSET
    passback_params: Any = msgspec.UNSET
    is_correct: Any = msgspec.UNSET
    attempt_type: Any = msgspec.UNSET
    created_at: Any = msgspec.UNSET


class _Passback(msgspec.Struct, gc=False):
    oauth_consumer_key: Any = msgspec.UNSET
    lis_result_sourcedid: Any = msgspec.UNSET
    lis_outcome_service_url: Any = msgspec.UNSET


_HALF_PAIR = re.compile("[\ud800-\udfff]")
_VERDICT = frozenset({bool, int, type(None)})
_VERDICTS = {None: None, 0: False, 1: True}
_NOT_AN_OBJECT = _Fields(_Refused("not_an_object"), _TOLD, _TOLD, _TOLD, _TOLD)
_decode_fields = msgspec.json.Decoder(_Fields).decode


def decode(batch: Sequence[Element], *, require_outcome_url: bool) -> tuple[pd.DataFrame, Reasons]:
    """The batch as a frame of ``COLUMNS``, a row an element, and the reasons found on the way.

    Text columns are ``str``, ``is_correct`` is nullable ``boolean``, ``created_at`` is
    ``datetime64[us]`` in UTC without a zone. Values are those received, byte for byte.
    """
    reasons: Reasons = {}
    fields = [_fields_of(element) for element in batch]
    # A learner tries the same task again and again: each distinct text is read once.
    texts = [row.passback_params for row in fields]
    read = _passbacks({text for text in texts if type(text) is str})
    passbacks = [read[t] if type(t) is str else _without_fields(t) for t in texts]

    user_id = _text([row.lti_user_id for row in fields], reasons)
    key = _text([row.oauth_consumer_key for row in passbacks], reasons, required=False)
    sourcedid = _text([row.lis_result_sourcedid for row in passbacks], reasons)
    url = _text(
        [row.lis_outcome_service_url for row in passbacks], reasons, required=require_outcome_url
    )
    is_correct = _verdict([row.is_correct for row in fields], reasons)
    attempt_type = _text([row.attempt_type for row in fields], reasons)
    created_at = _time(_text([row.created_at for row in fields], reasons), reasons)
    columns = (user_id, key, sourcedid, url, is_correct, attempt_type, created_at)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))), reasons


def _fields_of(element: Element) -> _Fields:
    try:
        return _decode_fields(element)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A strict parser refuses half a surrogate pair, NaN, 1e999; Python's own reads them.
        return _fields_of_odd(bytes(element))


def _fields_of_odd(element: bytes) -> _Fields:
    try:
        value = json.loads(element)
    except (ValueError, RecursionError):
        return _NOT_AN_OBJECT
    if not isinstance(value, dict):
        return _NOT_AN_OBJECT
    return _Fields(**{name: value[name] for name in _Fields.__struct_fields__ if name in value})


def _passbacks(texts: set[str]) -> dict[str, _Passback]:
    readable = {text for text in texts if 0 < len(text) <= passback.LONGEST}
    decoded = passback.decode(readable)
    return {text: _passback(text, decoded.get(text)) for text in texts}


def _passback(text: str, decoded: dict[object, object] | None) -> _Passback:
    if decoded is not None:
        return _Passback(
            *(decoded.get(name, msgspec.UNSET) for name in _Passback.__struct_fields__)
        )
    if not text:
        return _without_fields(_Refused("empty_field"))
    if len(text) > passback.LONGEST:
        return _without_fields(_Refused("too_long"))
    return _without_fields(_Refused("undecodable_passback_params"))


def _without_fields(instead: object) -> _Passback:
    """What stands instead of a readable text explains the one field that nothing can do without."""
    return _Passback(_TOLD, instead, _TOLD)


def _text(values: list[Any], reasons: Reasons, *, required: bool = True) -> "pd.Series[str]":
    for place in [p for p, v in enumerate(values) if type(v) is not str or not v.isascii()]:
        value = values[place]
        if type(value) is not str:
            _refuse(place, values, _why_not(value, required=required), reasons)
        elif _HALF_PAIR.search(value):
            # Half a surrogate pair is text to Python and to nobody else.
            _refuse(place, values, "forbidden_character", reasons)
    # Straight to Arrow: pandas would go by way of an array of objects.
    return pd.Series(pd.array(pa.array(values, pa.string()), dtype="str"))


def _verdict(values: list[Any], reasons: Reasons) -> pd.Series:
    for place in [p for p, v in enumerate(values) if type(v) not in _VERDICT or v not in _VERDICTS]:
        value = values[place]
        word = "unexpected_value" if type(value) in _VERDICT else _why_not(value)
        _refuse(place, values, word, reasons)
    return pd.Series([_VERDICTS[v] for v in values], dtype="boolean")


def _time(texts: "pd.Series[str]", reasons: Reasons) -> pd.Series:
    # pandas counts a year 0, PostgreSQL and Python do not.
    written = texts.where(texts.str.fullmatch(_TIME) & ~texts.str.startswith("0000"), None)
    times = pd.to_datetime(written, format="ISO8601", errors="coerce").astype("datetime64[us]")
    for place in texts.index[times.isna() & texts.notna()]:
        word = "bad_timestamp" if texts[place] else "empty_field"
        reasons.setdefault(place, []).append(word)
    return times


def _why_not(value: object, *, required: bool = True) -> str:
    """Why a value of another type than expected cannot stay; nothing when there is nothing to say.

    Where a field may be absent, its absence is none.
    """
    if isinstance(value, _Refused):
        return str(value)
    if value is msgspec.UNSET:
        return "missing_field" if required else ""
    if value is None:
        return "null_field" if required else ""
    return "wrong_type"


def _refuse(place: int, values: list[Any], word: str, reasons: Reasons) -> None:
    """Put a null in place of a value, and tell why."""
    values[place] = None
    if word:
        reasons.setdefault(place, []).append(word)
