"""Nothing the API sends gets lost or counted twice, whatever a day is made of."""

import datetime as dt
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from validated_day import Validated, validated

from grader_pipeline.attempts import response, validation
from grader_pipeline.attempts.forgotten import FORGOTTEN
from grader_pipeline.attempts.validated_file import Tally
from grader_pipeline_tests.grader import attempt, learner

REAL = json.loads((Path(__file__).parent / "api-samples.json").read_text())

times = st.sampled_from([f"2023-05-31 09:00:0{n}" for n in range(4)] + ["2023-06-01 09:00:00", ""])
users = st.sampled_from([learner("a"), learner("b"), "", "00123", None, "\0", 7])
attempts = st.builds(
    attempt,
    times,
    users,
    st.sampled_from([None, None, 0, 1, True, 0.0, 1.0, -0.0, 2, 0.5, "0"]),
    url=st.sampled_from([None, "https://lms.example.org/"]),
    extra=st.sampled_from([None, "}, {", "\ud800", float("nan")]),
)
odd = st.sampled_from(
    [None, [], {}, {"forgotten": True}, "}, {", 1.5, {"lti_user_id": learner("a")}, [[], {}]]
)
types = st.sampled_from(["run", "submit", "Submit", " run", "preview", "", None, 7])
attempts |= st.builds(lambda element, word: element | {"attempt_type": word}, attempts, types)
deep = st.integers(1, 3000).map(lambda levels: f'{{"x": {"[" * levels}1{"]" * levels}}}')
days = st.lists(attempts | attempts | attempts | odd, max_size=25)


@settings(deadline=None, derandomize=True, max_examples=25)
@given(
    days,
    st.sampled_from([4, 9, 50]),
    st.integers(1, 2000),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
    st.none() | deep,
)
def test_a_day_is_accounted_for_to_the_last_element(
    day, batch, chunk, indent, require_url, deepest
):  # fmt: skip
    sources = [json.dumps(element, indent=indent) for element in day]
    if deepest:
        # Without the fields that an attempt needs.
        day, sources = [*day, {}], [*sources, deepest]
    body = ("[" + " ,\n".join(sources) + "]").encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "BATCH", batch)
        patch.setattr(response, "CHUNK", chunk)
        found = validated(body, require_outcome_url=require_url)

    tally = found.tally
    assert tally == found.footer
    assert tally.body_sha256 == hashlib.sha256(body).hexdigest()
    assert tally.received == len(day) == tally.valid + tally.duplicates + tally.rejected
    assert tally.valid == len(found.attempts)
    duplicates = [row for row in found.refused if row["reasons"] == ["duplicate_key"]]
    assert tally.duplicates == len(duplicates)
    assert tally.rejected == len(found.refused) - len(duplicates)
    assert all(row["reasons"] == sorted(set(row["reasons"])) for row in found.refused)
    for counts, whole in (
        (tally.received_by_type, tally.received),
        (tally.rejected_by_type, tally.rejected),
        (tally.courses_rejected, tally.rejected),
    ):
        assert sum(counts.values()) <= whole
    assert sum(tally.valid_by_type.values()) == tally.valid
    assert all(
        tally.valid_by_type.get(word, 0) + tally.rejected_by_type.get(word, 0) <= received
        for word, received in tally.received_by_type.items()
    )
    assert sum(tally.reasons.values()) == sum(len(row["reasons"]) for row in found.refused)

    kept = [row["position"] for row in found.attempts]
    refused = [row["position"] for row in found.refused]
    assert kept == sorted(kept)
    assert refused == sorted(refused)
    assert sorted(kept + refused) == list(range(len(day)))
    gone = [place for place in refused if sources[place].encode() == FORGOTTEN]
    assert gone == [p for p, words in found.reasons.items() if words == ["forgotten_learner"]]
    assert tally.forgotten == len(gone)
    assert [row["row"] for row in found.refused] == [
        "" if place in gone else sources[place] for place in refused
    ]
    for row in found.attempts:
        element = day[row["position"]]
        assert row["user_id"] == element["lti_user_id"]
        assert row["created_at"] == dt.datetime.fromisoformat(element["created_at"])
        assert row["is_correct"] == element["is_correct"]
    _first_of_each_key_is_kept(found, day)


def _first_of_each_key_is_kept(found: Validated, day: list) -> None:
    first = {(row["created_at"], row["user_id"]): row["position"] for row in found.attempts}
    assert len(first) == len(found.attempts)
    for row in found.refused:
        if "duplicate_key" in row["reasons"]:
            element = day[row["position"]]
            key = (dt.datetime.fromisoformat(element["created_at"]), element["lti_user_id"])
            assert first[key] < row["position"]


def test_an_empty_day_is_a_day_of_nothing():
    found = validated(b"[]")
    assert found.tally == found.footer == Tally(hashlib.sha256(b"[]").hexdigest())
    assert (found.attempts, found.refused) == ([], [])


def test_the_footer_has_the_tally_that_was_returned():
    found = validated(
        [
            attempt(course="course-v1:Школа+Δ"),
            attempt(),
            attempt(user=""),
            attempt(user=learner("x"), url=None),
        ]
    )
    assert found.footer == found.tally
    assert found.tally.courses == {"course-v1:Школа+Δ": 1, "course-v1:School+DST-3.0+28FEB2021": 1}
    assert found.tally.reasons == {"duplicate_key": 1, "empty_field": 1}


def test_a_refused_row_is_kept_as_received():
    rows = [
        '{ "lti_user_id" : null,\n\t"is_correct":1.0 }',
        '{"lti_user_id":"\\u0000\\ud800 é 😀","x":NaN}',
        '"\\u0041"',
        "-0.00e+0",
    ]
    found = validated(f"[ {' , '.join(rows)} ]".encode())
    assert [row["row"] for row in found.refused] == rows


@pytest.mark.parametrize("day", ["2023-05-31", "2024-07-18", "2025-12-25"])
def test_every_real_row_is_an_attempt_of_its_day(day):
    found = validated(REAL, day)
    in_moscow = [
        (dt.datetime.fromisoformat(row["created_at"]) + dt.timedelta(hours=3)).date().isoformat()
        for row in REAL
    ]
    expected = [place for place, date in enumerate(in_moscow) if date == day]
    assert expected
    assert [row["position"] for row in found.attempts] == expected
    assert {tuple(words) for words in found.reasons.values()} == {("outside_window",)}
    for row in found.attempts:
        sent = REAL[row["position"]]
        assert row["user_id"] == sent["lti_user_id"]
        assert row["attempt_type"] == sent["attempt_type"]
        assert f"{row['created_at']:%Y-%m-%d %H:%M:%S.%f}" == sent["created_at"]
        assert row["oauth_consumer_key"] == ""
        assert repr(row["lis_result_sourcedid"]) in sent["passback_params"]
        url = row["lis_outcome_service_url"]
        assert (url is None) == ("lis_outcome_service_url" not in sent["passback_params"])
        assert url is None or repr(url) in sent["passback_params"]


def test_runs_with_a_verdict_and_submits_without_one_are_counted_and_kept():
    agreeing = [
        attempt("2023-05-31 10:00:00", "u", attempt_type="run", is_correct=None),
        attempt("2023-05-31 10:01:00", "u", attempt_type="submit", is_correct=0),
        attempt("2023-05-31 10:02:00", "u", attempt_type="submit", is_correct=1),
    ]
    disagreeing = [
        attempt("2023-05-31 10:03:00", "u", attempt_type="run", is_correct=0),
        attempt("2023-05-31 10:04:00", "u", attempt_type="submit", is_correct=None),
    ]
    for elements, count in (([], 0), (agreeing, 0), ([*agreeing, *disagreeing], 2)):
        tally = validated(elements).tally
        assert (tally.verdict_disagrees, tally.valid) == (count, len(elements))
