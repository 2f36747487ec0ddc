"""The columns of an attempt: their one definition.

Decoding, the pandera schema, the Parquet file of a validated day, the statements of ``sql/load``
and the columns that the UI shows derive from ``COLUMNS``. A migration of ``sql/schema`` adds a
column to the table ``grader``; a test compares the table with this definition.
"""

from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa

PASSBACK = "passback_params"
"""The field of an element that is the text of a Python dict."""


@dataclass(frozen=True)
class Kind:
    """What a value is in Arrow, in pandas and in PostgreSQL."""

    arrow: pa.DataType
    pandas: str
    postgres: str


TEXT = Kind(pa.string(), "str", "text")
DISTINCT = pa.dictionary(pa.int32(), TEXT.arrow)
"""A text column of a batch of attempts: each distinct text once, and its number for each attempt.
Of five attempts, about one has a text that none before it has."""
VERDICT = Kind(pa.bool_(), "boolean", "boolean")
TIME = Kind(pa.timestamp("us"), "datetime64[us]", "timestamp")
"""UTC without a zone."""


@dataclass(frozen=True)
class Column:
    """One column of the table ``grader`` and of a validated day."""

    name: str
    kind: Kind
    description: str
    field: str
    """The field of the element that has the value. If it is ``passback_params``, the value is in
    its dict, under the column's name."""
    presence: Literal["required", "nullable", "optional"] = "required"
    """``required``: the field exists, is not null and, if it is text, not empty. ``nullable``: it
    exists and may be null. ``optional``: it may be missing, null or empty."""
    longest: int | None = None
    """Characters that the table holds; None: any number."""
    words: tuple[str, ...] = ()
    """The only texts that are valid; none given: all are."""

    @property
    def postgres_type(self) -> str:
        """The type in the table, as ``sql/schema`` writes it."""
        return f"varchar({self.longest})" if self.longest else self.kind.postgres


COLUMNS = (
    Column("user_id", TEXT, "The learner. Never leaves the database.",
           field="lti_user_id", longest=255),
    Column("oauth_consumer_key", TEXT, "LTI consumer; may be empty or null.",
           field=PASSBACK, presence="optional", longest=255),
    Column("lis_result_sourcedid", TEXT, "Course, task and learner, as LTI names them.",
           field=PASSBACK),
    Column("lis_outcome_service_url", TEXT, "Where the grade goes; null where the API gave none.",
           field=PASSBACK, presence="optional"),
    Column("is_correct", VERDICT, "Verdict of a submit; null for a run.",
           field="is_correct", presence="nullable"),
    Column("attempt_type", TEXT, "run or submit.",
           field="attempt_type", longest=10, words=("run", "submit")),
    Column("created_at", TIME, "UTC.", field="created_at"),
)  # fmt: skip

NAMES = [column.name for column in COLUMNS]

ATTEMPT_TYPES = next(column.words for column in COLUMNS if column.name == "attempt_type")

KEY = ("created_at", "user_id")
"""The columns that make two attempts the same attempt."""


def attempt_columns(*, require_outcome_url: bool) -> tuple[Column, ...]:
    """``COLUMNS`` for a value of GRADER_REQUIRE_OUTCOME_URL."""
    if not require_outcome_url:
        return COLUMNS
    return tuple(
        replace(column, presence="required") if column.name == "lis_outcome_service_url" else column
        for column in COLUMNS
    )
