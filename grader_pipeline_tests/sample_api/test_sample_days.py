"""What is in the sample grader's days.

The validator here is the test's own reading of what a clean attempt is, so that neither the
server nor the pipeline is its own judge.
"""

import ast
import datetime as dt
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache

import pytest

ONE_DAY = dt.timedelta(days=1)
MAY_31 = dt.datetime(2023, 5, 31)
MOSCOW_MAY_31 = dt.datetime(2023, 5, 30, 21)
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", re.ASCII)
FORBIDDEN = re.compile("[\0\ud800-\udfff]")
python_literal = cache(ast.literal_eval)  # the attempts of one visit share their text
REASONS = {
    *("not_an_object", "missing_field", "null_field", "wrong_type", "empty_field", "too_long"),
    *("undecodable_passback_params", "unexpected_value", "bad_timestamp", "outside_window"),
    *("forbidden_character", "duplicate_key"),
}


class NotCleanError(Exception):
    """A row is not clean; the text is the reason."""


def text_of(fields: dict, name: str, limit: int | None = None) -> str:
    if name not in fields:
        raise NotCleanError("missing_field")
    value = fields[name]
    if value is None:
        raise NotCleanError("null_field")
    if not isinstance(value, str):
        raise NotCleanError("wrong_type")
    if value == "":
        raise NotCleanError("empty_field")
    if FORBIDDEN.search(value):
        raise NotCleanError("forbidden_character")
    if limit and len(value) > limit:
        raise NotCleanError("too_long")
    return value


def clean(row: object, start: dt.datetime, length: dt.timedelta) -> dict:
    """Give the row's typed fields, or raise NotCleanError."""
    if not isinstance(row, dict):
        raise NotCleanError("not_an_object")
    user = text_of(row, "lti_user_id", 255)
    kind = text_of(row, "attempt_type")
    created = text_of(row, "created_at")
    try:
        passback = python_literal(text_of(row, "passback_params"))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise NotCleanError("undecodable_passback_params") from None
    sourcedid = text_of(passback, "lis_result_sourcedid")
    url = passback.get("lis_outcome_service_url")
    key = passback.get("oauth_consumer_key")
    if key and len(key) > 255:
        raise NotCleanError("too_long")
    verdict = row["is_correct"]
    if not (verdict is None or isinstance(verdict, int)):
        raise NotCleanError("wrong_type")
    if verdict not in (None, 0, 1) or kind not in ("run", "submit"):
        raise NotCleanError("unexpected_value")
    try:
        moment = dt.datetime.fromisoformat(created)
    except ValueError:
        raise NotCleanError("bad_timestamp") from None
    if not TIMESTAMP.fullmatch(created) or created[11:13] == "24":
        raise NotCleanError("bad_timestamp")
    if not start <= moment < start + length:
        raise NotCleanError("outside_window")
    return {"user": user, "moment": moment, "kind": kind, "verdict": verdict} | {
        "course": sourcedid.partition(":lms.")[0],
        "sourcedid": sourcedid,
        "url": url,
        "key": key,
        "created": created,
    }


@dataclass
class Judged:
    attempts: list[dict] = field(default_factory=list)
    reasons: Counter = field(default_factory=Counter)
    duplicates: int = 0

    def submits(self) -> list[dict]:
        return [attempt for attempt in self.attempts if attempt["kind"] == "submit"]


def judge(rows: list, start: dt.datetime, length: dt.timedelta = ONE_DAY) -> Judged:
    judged, seen = Judged(), {}
    for row in rows:
        try:
            attempt = clean(row, start, length)
        except NotCleanError as reason:
            judged.reasons[str(reason)] += 1
            continue
        first = seen.setdefault((attempt["user"], attempt["moment"]), attempt)
        if first is attempt:
            judged.attempts.append(attempt)
        elif first == attempt:
            judged.duplicates += 1
        else:
            judged.reasons["duplicate_key"] += 1
    return judged


@pytest.fixture(scope="module")
def may_31(grader) -> Judged:
    return judge(grader.rows(MAY_31), MAY_31)


def test_2023_05_31_has_the_published_totals(may_31):
    submits = may_31.submits()
    assert len(may_31.attempts) == 6458
    assert len(may_31.attempts) - len(submits) == 3945
    assert len(submits) == 2513
    assert sum(attempt["verdict"] == 1 for attempt in submits) == 879
    assert len({attempt["user"] for attempt in may_31.attempts}) == 292


def test_2026_06_20_has_the_published_verdicts(grader):
    day = dt.datetime(2026, 6, 20)
    verdicts = Counter(attempt["verdict"] for attempt in judge(grader.rows(day), day).submits())
    assert verdicts == {1: 112, 0: 149}


def test_every_reason_to_reject_occurs_on_a_weekday(may_31):
    assert set(may_31.reasons) == REASONS
    assert may_31.duplicates > 0


def test_dirty_rows_come_on_top_of_the_clean_ones(may_31, start_grader):
    dirty = may_31.duplicates + may_31.reasons.total()
    assert dirty == round(0.03 * 6458)
    tidy = judge(start_grader("--dirty", "0").rows(MAY_31), MAY_31)
    assert tidy.attempts == may_31.attempts
    assert tidy.duplicates + tidy.reasons.total() == 0


def test_legitimate_oddities_occur_among_the_clean_rows(may_31):
    assert {attempt["key"] for attempt in may_31.attempts} > {"", None, "l'école", "00123"}
    assert any(attempt["key"] and '"' in attempt["key"] for attempt in may_31.attempts)
    assert any("." not in attempt["created"] for attempt in may_31.attempts)
    assert {True, False} <= {
        attempt["verdict"] for attempt in may_31.attempts if isinstance(attempt["verdict"], bool)
    }


def test_verdict_and_type_disagree_on_a_usual_day_but_rarely(grader):
    day = dt.datetime(2023, 6, 1)
    attempts = judge(grader.rows(day), day).attempts
    odd = [a for a in attempts if (a["kind"] == "submit") == (a["verdict"] is None)]
    assert {attempt["kind"] for attempt in odd} == {"run", "submit"}
    assert len(odd) < 0.005 * len(attempts)


def test_exactly_one_course_lacks_outcome_urls_and_lacks_them_all(may_31):
    with_url = {attempt["course"] for attempt in may_31.attempts if attempt["url"]}
    without = {attempt["course"] for attempt in may_31.attempts if not attempt["url"]}
    assert len(without) == 1
    assert len(with_url) >= 5
    assert not with_url & without


def test_rows_have_the_exact_fields_and_come_oldest_first(may_31, grader):
    named = [row for row in grader.rows(MAY_31) if isinstance(row, dict)]
    fields = ["lti_user_id", "passback_params", "is_correct", "attempt_type", "created_at"]
    assert sum(list(row) == fields for row in named) > 0.99 * len(named)
    for attempt in may_31.attempts:
        assert re.fullmatch("[0-9a-f]{32}", attempt["user"])
        assert attempt["sourcedid"].endswith(f":{attempt['user']}")
    moments = [attempt["moment"] for attempt in may_31.attempts]
    assert moments == sorted(moments)


def test_two_servers_give_the_same_bytes(grader, start_grader):
    other = start_grader()
    other.rows(MAY_31 - ONE_DAY)  # another past must not matter
    assert other.body(MAY_31) == grader.body(MAY_31)


def test_a_moscow_day_is_the_union_of_slices_of_two_utc_days(grader):
    evening = dt.timedelta(hours=3)
    whole = grader.rows(MOSCOW_MAY_31)
    assert whole == grader.rows(MOSCOW_MAY_31, evening) + grader.rows(MAY_31, ONE_DAY - evening)
    week = grader.rows(MAY_31, 7 * ONE_DAY)
    assert week == [row for day in range(7) for row in grader.rows(MAY_31 + day * ONE_DAY)]


def test_the_end_of_a_window_is_included(grader):
    moment = judge(grader.rows(MAY_31), MAY_31).attempts[1000]["moment"]
    rows = grader.rows(moment, dt.timedelta(microseconds=1))
    assert rows[0]["created_at"] == moment.isoformat(" ", "microseconds")


def test_weekends_are_quieter_and_evenings_busier_in_moscow(grader):
    monday = dt.datetime(2023, 5, 29)
    attempts = judge(grader.rows(monday, 7 * ONE_DAY), monday, 7 * ONE_DAY).attempts
    per_day = Counter(attempt["moment"].weekday() for attempt in attempts)
    assert max(per_day[5], per_day[6]) < 0.75 * min(per_day[day] for day in range(5))
    assert all(4500 < per_day[day] < 7500 for day in range(5))
    hours = Counter((attempt["moment"].hour + 3) % 24 for attempt in attempts)
    assert hours[11] > 1.5 * hours[14]
    assert hours[20] > 1.5 * hours[16]
    assert hours[5] < 0.1 * hours[20]


def test_learners_get_better(grader):
    early = success_share(grader, dt.datetime(2023, 2, 6))
    late = success_share(grader, dt.datetime(2023, 6, 12))
    both = early.keys() & late.keys()
    assert len(both) > 50

    def pooled(share: dict) -> float:
        return sum(share[user][0] for user in both) / sum(share[user][1] for user in both)

    assert pooled(late) > pooled(early) + 0.05


def success_share(grader, start: dt.datetime) -> dict[str, list[int]]:
    """Give each user's successful submits, and all of them, over three days."""
    counts = defaultdict(lambda: [0, 0])
    for attempt in judge(grader.rows(start, 3 * ONE_DAY), start, 3 * ONE_DAY).submits():
        counts[attempt["user"]][0] += attempt["verdict"] == 1
        counts[attempt["user"]][1] += 1
    return counts


def test_more_rows_come_from_more_users(start_grader, may_31):
    big = judge(start_grader("--rows", "15000").rows(MAY_31), MAY_31).attempts
    assert 13_000 < len(big) < 18_000
    per_user = len(big) / len({attempt["user"] for attempt in big})
    assert per_user == pytest.approx(6458 / 292, rel=0.15)
