"""Elements of forgotten learners are replaced in an answer; every other byte is as it was."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader_pipeline.attempts.forgotten import (
    FORGOTTEN,
    SHORTEST,
    ForgottenLearners,
    hashed,
    scrub,
)
from grader_pipeline.attempts.response import batches, unpacked
from grader_pipeline.attempts.schema import Reason
from grader_pipeline_tests.attempts.validated_day import validated
from grader_pipeline_tests.grader import attempt, learner

GONE = learner("gone")


def forgotten(*learners: str) -> ForgottenLearners:
    return ForgottenLearners("key", [(len(who), hashed("key", who)) for who in learners])


def scrubbed(body: bytes, folder: Path, *learners: str) -> tuple[list[bytes], Any]:
    found = scrub(io.BytesIO(body), folder / "answer.zst", forgotten(*learners))
    with unpacked((folder / "answer.zst").open("rb")) as packed:
        content = packed.read()
    assert hashlib.sha256(content).hexdigest() == found.sha256
    assert found.before == hashlib.sha256(body).hexdigest()
    assert found.size == len(content)
    return elements(content), found


def elements(body: bytes) -> list[bytes]:
    return [bytes(e) for batch in batches(io.BytesIO(body), 1, lambda _: None) for e in batch]


def test_other_elements_stay_byte_for_byte_at_their_positions(tmp_path: Path) -> None:
    odd = [b'{"a" :  1e400}', b'"\\ud800"', b"NaN", b"[ ]", b'{"b":"\xd1\x8f"}', b"null"]
    theirs = json.dumps(attempt(user=GONE)).encode()
    body = b" [ " + b" ,\n".join([odd[0], theirs, *odd[1:], theirs]) + b" ] "
    after, found = scrubbed(body, tmp_path, GONE)
    assert after == [odd[0], FORGOTTEN, *odd[1:], FORGOTTEN]
    assert (found.places, found.new) == ({1, 7}, 2)
    again, repeated = scrubbed(b"[" + b", ".join(after) + b"]", tmp_path, GONE)
    assert again == after
    assert (repeated.sha256, repeated.places, repeated.new) == (found.sha256, {1, 7}, 0)


def test_the_order_in_which_learners_are_forgotten_does_not_change_the_answer(
    tmp_path: Path,
) -> None:
    other = learner("other")
    body = json.dumps([attempt(user=user) for user in (GONE, learner(1), other, GONE)]).encode()
    hashes = set()
    for first, second in ((GONE, other), (other, GONE)):
        once, _ = scrubbed(body, tmp_path, first)
        _, twice = scrubbed(b"[" + b", ".join(once) + b"]", tmp_path, first, second)
        hashes.add(twice.sha256)
    _, at_once = scrubbed(body, tmp_path, GONE, other)
    assert hashes == {at_once.sha256}


@pytest.mark.parametrize(
    "element",
    [
        {"x": [{"y": f"a {GONE}."}]},
        {GONE: 1},
        {"passback_params": repr({"lis_result_sourcedid": f"a%3Ab%2D{GONE}%3Ac"})},
        {"passback_params": repr({"lis_result_sourcedid": json.dumps({"userid": GONE})})},
        {"passback_params": f"{{'cut short': '{GONE}"},
        GONE,
    ],
)
def test_the_id_is_found_in_any_text_however_it_is_written(element: Any) -> None:
    assert forgotten(GONE).owns(json.dumps(element).encode())


@pytest.mark.parametrize("other", [GONE[:-1], GONE + "0", "x" + GONE, GONE.upper(), ""])
def test_another_learner_is_not_taken_for_the_forgotten_one(other: str) -> None:
    assert not forgotten(GONE).owns(json.dumps(attempt(user=other)).encode())


@given(st.text(min_size=1, max_size=20), st.text(max_size=9), st.text(max_size=9))
def test_any_id_is_found_as_a_learner_and_within_a_text_if_it_is_long(
    who: str, before: str, after: str
) -> None:
    known = forgotten(who)
    assert known.owns(json.dumps({"lti_user_id": who}).encode())
    assert known.owns(json.dumps({"passback_params": repr({"x": who})}).encode())
    if len(who) >= SHORTEST:
        text = {"lis_result_sourcedid": f"{before}:{who}-{after}"}
        assert known.owns(json.dumps({"passback_params": repr(text)}).encode())


def test_a_short_id_is_found_as_a_whole_text_only() -> None:
    known = forgotten("15")
    assert known.owns(json.dumps(attempt(user="15")).encode())
    assert known.owns(b'{"lti_user_id": 15}')
    assert not known.owns(json.dumps(attempt("2023-05-15 15:15:15", task="15")).encode())


def test_a_forgotten_element_is_refused_with_its_own_reason_and_without_a_text() -> None:
    found = validated([attempt(), {"forgotten": True}, {"forgotten": 1}])
    assert found.refused[0] == {"position": 1, "reasons": [Reason.FORGOTTEN_LEARNER], "row": ""}
    assert Reason.FORGOTTEN_LEARNER not in found.reasons[2]
    tally = found.tally
    assert (tally.received, tally.valid, tally.rejected, tally.forgotten) == (3, 1, 2, 1)
