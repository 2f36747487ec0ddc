"""What a clean attempt is: the one pandera schema. A new rule is one line here.

A check's ``error`` is the word under which a refused row stands in quarantine; words are stable,
people count them. Rules see typed values and pass over nulls: a null stands where decoding has
told the reason, or where a field may be absent. To let pandera find those once more would double
its price, which is per failing check and column.
"""

import datetime as dt

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from grader_pipeline.attempts.decoding import Reasons

LONGEST_TEXT = 255
"""Characters that the table's varchar columns hold."""


def schema(
    start: dt.datetime, end: dt.datetime, *, require_outcome_url: bool = False
) -> pa.DataFrameSchema:
    """The schema of attempts created in ``[start, end)``, aware times.

    Columns: user_id, oauth_consumer_key, lis_result_sourcedid, lis_outcome_service_url,
    attempt_type (text), is_correct (nullable boolean), created_at (UTC without a zone).
    """
    first, after = (moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in (start, end))
    filled = pa.Check(lambda text: text != "", error="empty_field")
    # As an expression, for Arrow finds that in long texts three times as fast as a plain text.
    storable = pa.Check(lambda text: ~text.str.contains("\0"), error="forbidden_character")
    short = pa.Check(lambda text: text.str.len() <= LONGEST_TEXT, error="too_long")
    known_type = pa.Check(lambda text: text.isin(["run", "submit", ""]), error="unexpected_value")
    in_window = pa.Check(lambda time: (time >= first) & (time < after), error="outside_window")
    url_filled = [filled] if require_outcome_url else []
    return pa.DataFrameSchema(
        {
            "user_id": pa.Column(str, [filled, storable, short], nullable=True),
            "oauth_consumer_key": pa.Column(str, [storable, short], nullable=True),
            "lis_result_sourcedid": pa.Column(str, [filled, storable], nullable=True),
            "lis_outcome_service_url": pa.Column(str, [*url_filled, storable], nullable=True),
            "is_correct": pa.Column(pd.BooleanDtype(), nullable=True),
            "attempt_type": pa.Column(str, [filled, known_type], nullable=True),
            "created_at": pa.Column("datetime64[us]", in_window, nullable=True),
        },
        strict=True,
    )


def refusals(frame: pd.DataFrame, schema: pa.DataFrameSchema, decoding: Reasons) -> Reasons:
    """All reasons to refuse rows of ``frame``, by their place: those of decoding and the schema's.

    Raises SchemaErrors when the frame itself is not what the schema speaks of.
    """
    reasons = {place: list(words) for place, words in decoding.items()}
    try:
        # Pandera tells of failures in many small frames of words, which Arrow makes dear.
        with pd.option_context("mode.string_storage", "python"):
            schema.validate(frame, lazy=True, inplace=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        if cases["index"].isna().any():
            raise
        for place, check in zip(cases["index"].astype(int), cases["check"], strict=True):
            reasons.setdefault(place, []).append(check)
    return {place: sorted(set(words)) for place, words in reasons.items()}
