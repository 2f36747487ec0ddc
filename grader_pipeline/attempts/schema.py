"""What a clean attempt is: the reasons to refuse an element, and the one pandera schema.

A new rule is a ``pa.Check`` of a column here; its ``error`` is the reason. Rules look at each typed
value by itself and skip nulls: decoding has recorded the reason for a null, or the column may be
null. Pandera is not asked about nulls, and a rule of another kind (``unique``, of the whole frame)
is not evaluated.
"""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa
import pyarrow

from grader_pipeline.attempts.columns import TEXT, VERDICT, Column

Reasons = dict[int, list[str]]
"""The reasons of each refused element, by its place in the batch."""


class Reason(StrEnum):
    """Why an element is in quarantine. The words are stable: people count them."""

    NOT_AN_OBJECT = "not_an_object"  # The element is no JSON object, or one too deep to read.
    MISSING_FIELD = "missing_field"  # A field that must exist does not.
    NULL_FIELD = "null_field"  # A required field is null.
    WRONG_TYPE = "wrong_type"  # The value has another type than its column.
    EMPTY_FIELD = "empty_field"  # A required text is empty.
    UNDECODABLE_PASSBACK_PARAMS = "undecodable_passback_params"  # Not the text of a Python dict.
    UNEXPECTED_VALUE = "unexpected_value"  # A verdict or an attempt type that does not exist.
    TOO_LONG = "too_long"  # Longer than the column holds, or than the parser may read.
    BAD_TIMESTAMP = "bad_timestamp"  # No time of the calendar, or not written as the API does.
    OUTSIDE_WINDOW = "outside_window"  # The time is not in the day.
    FORBIDDEN_CHARACTER = "forbidden_character"  # NUL or half a surrogate pair: cannot be stored.
    DUPLICATE_KEY = "duplicate_key"  # An earlier attempt of the answer has the time and learner.
    FORGOTTEN_LEARNER = "forgotten_learner"  # It was a forgotten learner's. Its text is empty.


_ANY_TIME = dt.datetime(2023, 5, 31, tzinfo=dt.UTC)
_FILLED = pa.Check.ne("", error=Reason.EMPTY_FIELD)
# A regular expression: Arrow finds it in long texts three times as fast as a plain text.
_STORABLE = pa.Check(lambda text: ~text.str.contains("\0"), error=Reason.FORBIDDEN_CHARACTER)


def schema(start: dt.datetime, end: dt.datetime, columns: Sequence[Column]) -> pa.DataFrameSchema:
    """The schema of attempts created in ``[start, end)``, aware times."""
    first, after = (moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in (start, end))
    in_window = pa.Check(lambda time: (time >= first) & (time < after), error=Reason.OUTSIDE_WINDOW)
    rules = {column.name: _common_rules(column) for column in columns}
    rules["created_at"].append(in_window)
    checked = {c.name: pa.Column(c.kind.pandas, rules[c.name], nullable=True) for c in columns}
    return pa.DataFrameSchema(checked, strict=True)


def _common_rules(column: Column) -> list[pa.Check]:
    """The rules that follow from the definition of a text column."""
    if column.kind != TEXT:
        return []
    rules = [_FILLED] if column.presence == "required" else []
    if column.words:
        # An empty text has its own reason.
        return [*rules, pa.Check.isin(["", *column.words], error=Reason.UNEXPECTED_VALUE)]
    rules.append(_STORABLE)
    if column.longest:
        rules.append(pa.Check.str_length(max_value=column.longest, error=Reason.TOO_LONG))
    return rules


@cache
def check_types(given: pyarrow.Schema, columns: tuple[Column, ...]) -> None:
    """Raise SchemaErrors if the columns or types given are others than those of the schema.

    The answer is the same for each batch of each day. So a process asks pandera once.
    """
    table = given.empty_table()
    empty = {name: _as_series(table[name].combine_chunks()) for name in table.column_names}
    schema(_ANY_TIME, _ANY_TIME, columns).validate(pd.DataFrame(empty), lazy=True)


def all_reasons(table: pyarrow.Table, schema: pa.DataFrameSchema, decoding: Reasons) -> Reasons:
    """All reasons to refuse rows of ``table``, by their place: those of decoding and the schema's.

    Of a column of distinct texts, a rule sees each text once. pandera's report of each failed value
    costs more than the checks themselves, so they are called one by one.
    """
    reasons = {place: list(words) for place, words in decoding.items()}
    for name, rules in schema.columns.items():
        column = table[name].combine_chunks()
        values = _as_series(column)
        for check in rules.checks:
            found = check(values)
            failed = ~found.check_output.to_numpy(bool)
            places = found.checked_object.index[failed].to_numpy()
            for place in _rows(column, places).tolist():
                reasons.setdefault(place, []).append(check.error)
    return {place: sorted({str(word) for word in words}) for place, words in reasons.items()}


def _as_series(column: pyarrow.Array) -> pd.Series:
    """The values of a column as the schema validates them: distinct ones if it is a dictionary."""
    values = column.dictionary if pyarrow.types.is_dictionary(column.type) else column
    dtypes = {kind.arrow: pd.api.types.pandas_dtype(kind.pandas) for kind in (TEXT, VERDICT)}
    series: pd.Series = values.to_pandas(types_mapper=dtypes.get)
    return series


def _rows(column: pyarrow.Array, places: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """The rows that have the values at these places of ``_as_series``."""
    if not places.size or not pyarrow.types.is_dictionary(column.type):
        return places
    numbers = column.indices.fill_null(-1).to_numpy()
    return np.flatnonzero(np.isin(numbers, places))
