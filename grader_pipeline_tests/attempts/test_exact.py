"""Many hostile elements are read as the slow, exact twin reads each: values, reasons, texts."""

import datetime as dt
import io
import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from exact import exact

from grader_pipeline.attempts import validation
from grader_pipeline.attempts.columns import KEY, NAMES, PASSBACK, attempt_columns
from grader_pipeline.attempts.passback import LONGEST
from grader_pipeline.partitions import school_day
from grader_pipeline_tests.grader import attempt, learner

CHARACTERS = [
    *("", "a", " ", "'", '"', "\\", "\n", "\r", "\t", "\0", "\x1a", "\f", "\x1f", "\x7f", "\x85"),
    *("\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\ud800", "\udfff", "\U0010ffff", "😀", "é"),
    *("Ж", "{", "}", ", ", ": ", "', '", "': '", "#", "%", "None", "\\'", "\\n", "\\N", "\\ud800"),
]
TOKENS = [*CHARACTERS, ",", ":", "'a': 'b'", "'oauth_consumer_key': '', ", "(", ")", "b''", "*"]
VALUES = [None, True, False, 0, 1, 7, 1.0, -0.0, 0.5, 2**70, 1e300, [], {}, [[]], {"a": 1}, "", "x"]
NUMBERS = ["NaN", "-Infinity", "1e999", "1.00", "10E-1", "-0", "9" * 400, "1.0000000000000000001"]
CLOCKS = [
    "20:59:59.999999",
    "21:00:00",
    "00:00:00",
    "09:16:61",
    "09:16:60",
    "24:00:00",
    "09:60:00",
    "9:1:1",
]
DATES = ["2023-05-31", "2023-05-30", "2023-02-29", "2024-02-29", "0000-01-01", "2023-13-01"]
ENDS = ["", "", "", ".5", ".1234567", ".", "Z", " ", "\n", "+00:00", "\0", "٣"]


def _text(draw: random.Random) -> str:
    long = draw.choice([1] * 30 + [255, 256])
    return "".join(draw.choices(CHARACTERS, k=draw.randrange(5))) + "x" * long


def _value(draw: random.Random) -> Any:
    return _text(draw) if draw.random() < 0.7 else draw.choice(VALUES)


def _passback(draw: random.Random) -> Any:
    task = f"course-v1:A+B+C:lms-{draw.randrange(9)}:{learner(draw.randrange(50))}"
    found = {
        "oauth_consumer_key": draw.choice(["", "", "", "key", None, None, _value(draw)]),
        "lis_result_sourcedid": draw.choice([task, task, task, task, _value(draw)]),
        "lis_outcome_service_url": draw.choice(["https://lms/", "a", None, None, _value(draw)]),
    }
    for name in list(found):
        if draw.random() < 0.05:
            del found[name]
    if draw.random() < 0.1:
        items = [*found.items(), (_text(draw), _value(draw))]
        draw.shuffle(items)
        found = dict(items)
    text = repr(found)
    for _ in range(draw.choice([0] * 12 + [1, 1, 1, 2])):
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice(TOKENS) + text[at + draw.randrange(3) :]
    if draw.random() < 0.003:
        text = text[:-1] + " " * (LONGEST - len(text) + draw.randrange(2)) + "}"
    return text if draw.random() < 0.97 else draw.choice(VALUES)


def _element(draw: random.Random) -> bytes:
    if draw.random() < 0.01:
        return draw.choice([b"null", b"[]", b'"x"', b"7", b'{"forgotten": 1}', b'{"x": NaN}'])
    clock = f"{draw.randrange(21):02}:{draw.randrange(60):02}:{draw.randrange(60):02}"
    moment = f"{draw.choice(DATES[:1] * 30 + DATES)} {draw.choice([clock] * 60 + CLOCKS)}"
    who = learner(draw.randrange(50))
    fields = attempt(
        moment + draw.choice(ENDS[:4] * 10 + ENDS),
        draw.choice([who, who, who, _text(draw)]),
        draw.choice([None, None, 0, 1, 1, 1, draw.choice(VALUES)]),
        passback_params=_passback(draw),
    )
    for name in list(fields):
        if (odd := draw.random()) < 0.02:
            fields[name] = _value(draw)
        elif odd < 0.03:
            del fields[name]
    text = json.dumps(fields, ensure_ascii=draw.random() < 0.5)
    if draw.random() < 0.03:
        text = text.replace('"is_correct": 1,', f'"is_correct": {draw.choice(NUMBERS)},')
    # Half a surrogate pair has no UTF-8 of its own: JSON escapes it.
    return text.encode(errors="backslashreplace")


@pytest.mark.parametrize("require_outcome_url", [False, True])
def test_hostile_elements_are_read_as_the_exact_twin_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require_outcome_url: bool
) -> None:
    draw = random.Random(16 + require_outcome_url)
    elements = [_element(draw) for _ in range(10_000)]
    elements[1::20] = elements[::20]
    monkeypatch.setattr(validation, "BATCH", 3_000)
    day, file = school_day("2023-05-31"), tmp_path / "attempts.parquet"
    body = io.BytesIO(b"[%s]" % b" ,\n".join(elements))
    tally = validation.validate(body, day, file, require_outcome_url=require_outcome_url)
    found = pq.read_table(file).to_pylist()

    start, end = (time.astimezone(dt.UTC).replace(tzinfo=None) for time in (day.start, day.end))
    columns = attempt_columns(require_outcome_url=require_outcome_url)
    seen: set[tuple] = set()
    assert len(found) == tally.received == len(elements)
    for position, (element, row) in enumerate(zip(elements, found, strict=True)):
        values, reasons = exact(element, columns, start, end)
        if not reasons:
            key = tuple(values[name] for name in KEY)
            reasons = ["duplicate_key"] if key in seen else []
            seen.add(key)
        text = element.decode() if reasons else None
        expected = {"position": position, **values, "reasons": reasons or None, "row": text}
        assert row == expected, element
    assert list(found[0]) == ["position", *NAMES, "reasons", "row"]
    # The drawn elements are worth it: many are attempts, many have each reason.
    assert 1_000 < tally.valid < 8_000
    assert tally.duplicates > 50
    assert len(tally.reasons) >= 11
    assert PASSBACK in elements[0].decode()
