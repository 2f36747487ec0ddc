"""An attempt that comes twice counts once, however far apart the two come."""

import pytest
from validated_day import validated

from grader_pipeline.attempts import response, validation
from grader_pipeline_tests.grader import attempt, learner


@pytest.fixture(params=[50_000, 3], ids=lambda size: f"batches of {size}")
def _batches(request, monkeypatch):
    """Batches that hold all of the response, or a few elements."""
    monkeypatch.setattr(validation, "BATCH", request.param)
    if request.param < 100:
        monkeypatch.setattr(response, "CHUNK", 100)


A, B = learner("a"), learner("b")


def at(second: int, user: str = A, **fields) -> dict:
    return attempt(f"2023-05-31 09:00:{second:02}", user, **fields)


@pytest.mark.usefixtures("_batches")
@pytest.mark.parametrize(
    ("response_of", "again"),
    [
        ([at(0), at(0)], [1]),
        ([at(0), at(0), at(0)], [1, 2]),
        ([at(0), at(1), at(2), at(3), at(0)], [4]),
        ([at(0), at(1), at(1), at(2), at(3), at(3)], [2, 5]),
        # Not oldest first, against the API's promise.
        ([at(9), at(8), at(7), at(9), at(6), at(8), at(5), at(5)], [3, 5, 7]),
        ([at(5), at(1), at(9), at(1), at(5), at(9), at(1)], [3, 4, 5, 6]),
        # One moment or one learner is not a key.
        ([at(0, A), at(0, B), at(1, A), at(1, B), at(0, B)], [4]),
        # Learners are compared byte by byte.
        ([at(0, "a"), at(0, "A"), at(0, "a "), at(0, "а")], []),
        ([at(0, "é"), at(0, "e\u0301")], []),
        # The same moment written in another way is the same moment.
        (
            [
                at(0),
                attempt("2023-05-31 09:00:00.000000", A),
                attempt("2023-05-31 09:00:00.0", A),
            ],
            [1, 2],
        ),
        ([at(0), attempt("2023-05-31 09:00:00.000001", A)], []),
        # A refused row does not make its good twin a duplicate.
        ([at(0, attempt_type="?"), at(0), at(0)], [2]),
        ([at(0, is_correct="0"), at(1), at(2), at(3), at(0)], []),
        ([at(0), at(0, attempt_type="?")], []),
    ],
)
def test_only_the_first_of_a_key_is_kept(response_of, again):
    found = validated(response_of)
    assert [p for p, words in found.reasons.items() if words == ["duplicate_key"]] == again
    assert found.tally.duplicates == len(again)
    assert found.tally.rejected == len(found.refused) - len(again)
    assert found.tally.valid == len(response_of) - len(found.refused) == len(found.attempts)


@pytest.mark.usefixtures("_batches")
def test_the_first_of_two_that_differ_is_the_one_that_stays():
    found = validated(
        [at(0, task="first", is_correct=0), at(1), at(2), at(3), at(0, task="second", is_correct=1)]
    )
    assert found.attempts[0]["is_correct"] is False
    assert "first" in found.attempts[0]["lis_result_sourcedid"]
    assert found.reasons == {4: ["duplicate_key"]}
    assert "second" in found.refused[0]["row"]


def test_a_whole_response_sent_twice_loads_once(monkeypatch):
    monkeypatch.setattr(validation, "BATCH", 100)
    monkeypatch.setattr(response, "CHUNK", 10_000)
    once = [at(n % 60, learner(n)) for n in range(300)]
    found = validated(once + once)
    assert [row["position"] for row in found.attempts] == list(range(300))
    assert found.tally.duplicates == 300
    assert found.tally.rejected == 0
