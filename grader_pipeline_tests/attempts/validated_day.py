"""An answer, validated: what the tests of this folder look at."""

import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from grader_pipeline.attempts.validated_file import Tally, attempts, quarantine, tally_of
from grader_pipeline.attempts.validation import validate
from grader_pipeline.partitions import school_day


@dataclass
class Validated:
    """The tally as returned and as read from the footer, the attempts, the refused elements."""

    tally: Tally
    footer: Tally
    attempts: list[dict[str, Any]]
    refused: list[dict[str, Any]]

    @property
    def reasons(self) -> dict[int, list[str]]:
        """The words of each refused element, by its position."""
        return {row["position"]: row["reasons"] for row in self.refused}


def validated(
    response: bytes | list[Any], day: str = "2023-05-31", *, require_outcome_url: bool = False
) -> Validated:
    """Validate ``response``, bytes or elements that are written as JSON, as the day's answer."""
    body = response if isinstance(response, bytes) else json.dumps(response).encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "attempts.parquet"
        tally = validate(
            io.BytesIO(body), school_day(day), file, require_outcome_url=require_outcome_url
        )
        with pq.ParquetFile(file) as parquet:
            return Validated(
                tally,
                tally_of(parquet),
                [row for table in attempts(parquet) for row in table.to_pylist()],
                [row for table in quarantine(parquet) for row in table.to_pylist()],
            )


def reasons_of(element: object, **options: bool) -> list[str]:
    """The reasons of an element that is alone in its answer; none if it is an attempt."""
    return validated([element], **options).reasons.get(0, [])
