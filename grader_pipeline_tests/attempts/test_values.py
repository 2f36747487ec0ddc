"""A value that is kept is kept as it was sent."""

import datetime as dt
import json

import pytest
from validated_day import validated

from grader_pipeline.attempts.columns import COLUMNS, PASSBACK
from grader_pipeline_tests.grader import attempt, learner


def _only(element: object, day: str = "2023-05-31") -> dict:
    found = validated(element if isinstance(element, bytes) else [element], day)
    assert found.refused == []
    (row,) = found.attempts
    return row


TEXTS = [
    "00123",
    "1e5",
    "nan",
    "None",
    "null",
    "NA",
    "true",
    " padded\t",
    'O\'Neil "quoted" `ticks`',
    "back\\slash \\n \\u0041",
    "line\nbreak\r\n",
    "\x01\x1f\x7f\u2028\ufeff",
    "e\u0301 is not é",
    "Ученик 😀 \U0010ffff",
    "}, {",
    "\\N",
    "=1+1",
]


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_every_text_is_kept_byte_for_byte(ensure_ascii):
    names = [column.name for column in COLUMNS if column.field == PASSBACK]
    elements = [
        attempt(lti_user_id=text, passback_params=repr(dict.fromkeys(names, text)))
        for text in TEXTS
    ]
    found = validated(json.dumps(elements, ensure_ascii=ensure_ascii).encode())
    for name in ("user_id", *names):
        assert [row[name] for row in found.attempts] == TEXTS


def test_nothing_and_an_empty_text_stay_two_things():
    texts = [
        "{'lis_result_sourcedid': 'a'}",
        "{'lis_result_sourcedid': 'a', 'oauth_consumer_key': None}",
        "{'lis_result_sourcedid': 'a', 'oauth_consumer_key': ''}",
    ]
    found = validated([attempt(user=learner(t), passback_params=t) for t in texts])
    assert [row["oauth_consumer_key"] for row in found.attempts] == [None, None, ""]
    assert [row["lis_outcome_service_url"] for row in found.attempts] == [None] * 3


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        *(("null", None), ("false", False), ("true", True)),
        *((zero, False) for zero in ("0", "-0", "0.0", "-0.0", "0e5", "0.000")),
        *((one, True) for one in ("1", "1.0", "1.000", "1e0", "10E-1", "0.1e+1")),
    ],
)
def test_a_verdict_is_true_false_or_none(source, verdict):
    source_of_row = json.dumps(attempt(verdict=None)).replace(
        '"is_correct": null', f'"is_correct": {source}'
    )
    assert _only(b"[" + source_of_row.encode() + b"]")["is_correct"] is verdict


def test_verdicts_of_one_batch_do_not_change_each_other():
    verdicts = [None, 0, 1, True, False, None, 1, 1.0, 0.0, -0.0]
    found = validated([attempt(user=learner(n), verdict=v) for n, v in enumerate(verdicts)])
    kept = [row["is_correct"] for row in found.attempts]
    assert kept == [None, False, True, True, False, None, True, True, False, False]
    assert {type(verdict) for verdict in kept} == {bool, type(None)}


NO_VERDICTS = [
    ('"0"', "wrong_type"),
    ('"true"', "wrong_type"),
    ('""', "wrong_type"),
    ('"1.0"', "wrong_type"),
    ("NaN", "wrong_type"),
    ("Infinity", "wrong_type"),
    ("[]", "wrong_type"),
    ("{}", "wrong_type"),
    ("2", "unexpected_value"),
    ("-1", "unexpected_value"),
    ("0.5", "unexpected_value"),
    ("1.0000001", "unexpected_value"),
    ("-1.0", "unexpected_value"),
    ("1e300", "unexpected_value"),
    ("18446744073709551617", "unexpected_value"),
    ("9" * 400, "unexpected_value"),
]


def test_any_other_verdict_is_refused():
    run = json.dumps(attempt())
    rows = [run.replace(": null", f": {source}") for source, _ in NO_VERDICTS]
    reasons = validated(f"[{','.join(rows)}]".encode()).reasons
    found = [(source, reasons.get(place)) for place, (source, _) in enumerate(NO_VERDICTS)]
    assert found == [(source, [reason]) for source, reason in NO_VERDICTS]


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2023-05-31 09:16:11", 0),
        ("2023-05-31 09:16:11.3", 300_000),
        ("2023-05-31 09:16:11.000001", 1),
        ("2023-05-31 09:16:11.999999", 999_999),
    ],
)
def test_a_time_is_kept_to_the_microsecond(text, microsecond):
    # Beside others, as the first of a batch must not decide how the rest is read.
    found = validated(
        [
            attempt("2023-05-31 01:00:00", learner("a")),
            attempt(text, learner("b")),
            attempt("2023-05-31 01:00:00.5"),
        ]
    )
    expected = dt.datetime(2023, 5, 31, 9, 16, 11, microsecond)
    assert [row["created_at"] for row in found.attempts][1] == expected


NO_TIMES = [
    "now",
    "today",
    "infinity",
    "-infinity",
    "epoch",
    "NaT",
    "None",
    "2023-05-31",
    "09:16:11",
    "2023-05-31 09:16",
    "2023-05-31 24:00:00",
    "2023-05-31 09:60:00",
    "2023-05-31 09:16:60",
    "2023-05-31 09:16:60.5",
    "2023-02-30 09:16:11",
    "2023-13-01 09:16:11",
    "2023-00-10 09:16:11",
    "0000-00-00 00:00:00",
    "0000-05-31 09:16:11",
    "10000-05-31 09:16:11",
    "-2023-05-31 09:16:11",
    "23-05-31 09:16:11",
    "2023-5-31 9:16:11",
    "31.05.2023 09:16:11",
    "2023-05-31T09:16:11",
    "2023-05-31 09:16:11Z",
    "2023-05-31 09:16:11+00:00",
    "2023-05-31 09:16:11 BC",
    "2023-05-31 09:16:11.",
    "2023-05-31 09:16:11.1234567",
    "2023-05-31 09:16:11,5",
    "2023-05-31  09:16:11",
    " 2023-05-31 09:16:11",
    "2023-05-31 09:16:11\n",
    "2023-05-31 09:16:11\0",
    "٢٠٢٣-٠٥-٣١ ٠٩:١٦:١١",
    "1685524571",
    "x" * 10_000,
]


def test_what_is_no_time_is_refused():
    reasons = validated([attempt(created_at=text) for text in NO_TIMES]).reasons
    found = {text: reasons.get(place) for place, text in enumerate(NO_TIMES)}
    assert found == {text: ["bad_timestamp"] for text in NO_TIMES}


EDGES = {
    "2023-05-30 20:59:59.999999": False,
    "2023-05-30 21:00:00.000000": True,
    "2023-05-30 21:00:00": True,
    "2023-05-31 20:59:59.999999": True,
    "2023-05-31 21:00:00.000000": False,
    "2023-05-31 21:00:00": False,
    "2023-05-31 21:00:00.000001": False,
    "0001-01-01 00:00:00": False,
    "1677-09-21 00:12:43": False,
    "9999-12-31 23:59:59.999999": False,
}


def test_the_day_in_moscow_is_half_open_to_the_microsecond():
    found = validated([attempt(text, learner(n)) for n, text in enumerate(EDGES)])
    assert [place not in found.reasons for place in range(len(EDGES))] == list(EDGES.values())
    assert set(map(tuple, found.reasons.values())) == {("outside_window",)}
