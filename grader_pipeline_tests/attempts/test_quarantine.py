"""Every reason to keep an element out, and that it keeps out nothing else."""

import json

import pandera.pandas as pandera
import pytest
from pandera.errors import SchemaErrors
from validated_day import reasons_of, validated

from grader_pipeline.attempts import validation
from grader_pipeline.attempts.columns import COLUMNS
from grader_pipeline.attempts.decoding import decode
from grader_pipeline.attempts.passback import LONGEST
from grader_pipeline.attempts.schema import Reason, check_types, schema
from grader_pipeline.partitions import school_day
from grader_pipeline_tests.grader import attempt, learner

SOURCEDID = f"'lis_result_sourcedid': 'course-v1:A+B+C:lms-{'1' * 32}:{learner('u')}'"
URL = "'lis_outcome_service_url': 'https://lms.example.org/'"


def passback(*items: str) -> dict:
    return attempt(passback_params="{" + ", ".join(items) + "}")


def without(name: str) -> dict:
    return {field: value for field, value in attempt().items() if field != name}


@pytest.mark.parametrize("element", [None, True, 7, 1.5, "text", [], [attempt()], [[]]])
def test_what_is_no_object_says_so_and_nothing_else(element):
    assert reasons_of(element) == ["not_an_object"]


REFUSED: list[tuple[dict, list[str]]] = [
    ({}, ["missing_field"]),
    (without("lti_user_id"), ["missing_field"]),
    (without("passback_params"), ["missing_field"]),
    (without("is_correct"), ["missing_field"]),
    (without("attempt_type"), ["missing_field"]),
    (without("created_at"), ["missing_field"]),
    (passback(), ["missing_field"]),
    (passback("'oauth_consumer_key': ''"), ["missing_field"]),
    (attempt(lti_user_id=None), ["null_field"]),
    (attempt(passback_params=None), ["null_field"]),
    (attempt(attempt_type=None), ["null_field"]),
    (attempt(created_at=None), ["null_field"]),
    (passback("'lis_result_sourcedid': None"), ["null_field"]),
    (attempt(lti_user_id=7), ["wrong_type"]),
    (attempt(lti_user_id=["a"]), ["wrong_type"]),
    (attempt(lti_user_id={"a": 1}), ["wrong_type"]),
    (attempt(passback_params={"lis_result_sourcedid": "a"}), ["wrong_type"]),
    (attempt(passback_params=[]), ["wrong_type"]),
    (attempt(passback_params=False), ["wrong_type"]),
    (attempt(attempt_type=1), ["wrong_type"]),
    (attempt(created_at=1685524571), ["wrong_type"]),
    (attempt(created_at=1685524571.3), ["wrong_type"]),
    (passback("'lis_result_sourcedid': 7"), ["wrong_type"]),
    (passback("'lis_result_sourcedid': b'a'"), ["wrong_type"]),
    (passback("'lis_result_sourcedid': ['a']"), ["wrong_type"]),
    (passback(SOURCEDID, "'oauth_consumer_key': 7"), ["wrong_type"]),
    (passback(SOURCEDID, "'lis_outcome_service_url': 7"), ["wrong_type"]),
    (attempt(lti_user_id=""), ["empty_field"]),
    (attempt(passback_params=""), ["empty_field"]),
    (attempt(attempt_type=""), ["empty_field"]),
    (attempt(created_at=""), ["empty_field"]),
    (passback("'lis_result_sourcedid': ''"), ["empty_field"]),
    (attempt(passback_params="null"), ["undecodable_passback_params"]),
    (attempt(attempt_type="Run"), ["unexpected_value"]),
    (attempt(attempt_type="run "), ["unexpected_value"]),
    (attempt(attempt_type="x" * 300), ["unexpected_value"]),
    (attempt(is_correct=2), ["unexpected_value"]),
    (attempt(lti_user_id="x" * 256), ["too_long"]),
    (passback(SOURCEDID, f"'oauth_consumer_key': '{'x' * 256}'"), ["too_long"]),
    (passback(SOURCEDID, " " * 65536), ["too_long"]),
    (attempt(created_at="yesterday"), ["bad_timestamp"]),
    (attempt(created_at="2023-06-01 12:00:00"), ["outside_window"]),
    (attempt(lti_user_id="a\0b"), ["forbidden_character"]),
    (attempt(lti_user_id="a\ud800"), ["forbidden_character"]),
    (attempt(attempt_type="\udc00"), ["forbidden_character"]),
    (passback(r"'lis_result_sourcedid': 'a\x00b'"), ["forbidden_character"]),
    (passback(r"'lis_result_sourcedid': 'a\0b'"), ["forbidden_character"]),
    (passback(r"'lis_result_sourcedid': '\ud83d'"), ["forbidden_character"]),
    (passback(SOURCEDID, r"'oauth_consumer_key': '\x00'"), ["forbidden_character"]),
    (passback(SOURCEDID, r"'lis_outcome_service_url': '\udfff'"), ["forbidden_character"]),
    # Python cannot read a text with a bare NUL or half a character in it.
    (passback("'lis_result_sourcedid': 'a\0b'"), ["undecodable_passback_params"]),
    (passback("'lis_result_sourcedid': '\ud800'"), ["undecodable_passback_params"]),
    # Several at once: each reason once.
    (
        attempt(lti_user_id=None, attempt_type="", created_at="now", is_correct="0"),
        ["bad_timestamp", "empty_field", "null_field", "wrong_type"],
    ),
    (
        attempt("2023-06-01 12:00:00", lti_user_id="\0" * 256, attempt_type="\0", is_correct=2),
        ["forbidden_character", "outside_window", "too_long", "unexpected_value"],
    ),
    (
        {"passback_params": "?", "created_at": None, "is_correct": "1"},
        ["missing_field", "null_field", "undecodable_passback_params", "wrong_type"],
    ),
    (attempt(lti_user_id=7, attempt_type=7, created_at=7), ["wrong_type"]),
    ({"forgotten": True}, ["forgotten_learner"]),
]


def test_each_element_has_exactly_its_reasons():
    reasons = validated([element for element, _ in REFUSED]).reasons
    found = [(element, reasons.get(place)) for place, (element, _) in enumerate(REFUSED)]
    assert found == REFUSED


def test_each_reason_of_the_definition_keeps_an_element_out():
    found = {reason for _, reasons in REFUSED for reason in reasons}
    found |= {*reasons_of(None), *validated([attempt(), attempt()]).reasons[1]}
    assert found == set(Reason)


@pytest.mark.parametrize(
    "element",
    [
        attempt(),
        attempt(url=None),
        attempt(unknown_field={"deep": [1, {"er": None}]}),
        attempt(lti_user_id="x" * 255),
        attempt(lti_user_id="😀" * 255),
        passback(SOURCEDID),
        passback(SOURCEDID, "'oauth_consumer_key': None"),
        passback(SOURCEDID, f"'oauth_consumer_key': '{'x' * 255}'"),
        passback(SOURCEDID, "'lis_outcome_service_url': None"),
        passback(SOURCEDID, "7: [b'', {1}, 2j, ...]"),
        passback(SOURCEDID, " " * (65536 - len(SOURCEDID) - 4)),
    ],
)
def test_what_can_be_stored_is_not_refused(element):
    assert reasons_of(element) == []


@pytest.mark.parametrize(
    ("element", "reasons"),
    [
        (passback(SOURCEDID), ["missing_field"]),
        (passback(SOURCEDID, "'lis_outcome_service_url': None"), ["null_field"]),
        (passback(SOURCEDID, "'lis_outcome_service_url': ''"), ["empty_field"]),
        (passback(SOURCEDID, "'lis_outcome_service_url': 7"), ["wrong_type"]),
        (passback(SOURCEDID, r"'lis_outcome_service_url': '\0'"), ["forbidden_character"]),
        (passback(URL), ["missing_field"]),
        (attempt(passback_params="?"), ["undecodable_passback_params"]),
        (attempt(passback_params=None), ["null_field"]),
        (passback(SOURCEDID, URL), []),
    ],
)
def test_a_required_outcome_url_is_a_field_like_the_others(element, reasons):
    assert reasons_of(element, require_outcome_url=True) == reasons


def test_courses_without_outcome_url_are_counted_while_it_is_not_required():
    found = validated(
        [
            attempt(user=learner("a"), url=None, course="course-v1:one"),
            attempt(user=learner("b"), course="two"),
            attempt(user=learner("c"), url=None, course="course-v1:three"),
            attempt(user=learner("d"), url=None, course="course-v1:three"),
            attempt(user=learner("e"), course="course-v1:three"),
        ]
    )
    assert [row["lis_outcome_service_url"] is None for row in found.attempts] == [
        True, False, True, True, False,
    ]  # fmt: skip
    assert found.tally.courses == {"course-v1:one": 1, "course-v1:three": 3}
    assert found.tally.courses_without_url == {"course-v1:one": 1, "course-v1:three": 2}


def test_a_course_is_large_from_five_learners_with_valid_attempts(monkeypatch):
    monkeypatch.setattr(validation, "BATCH", 4)
    learners = {"course-v1:five": "abcde", "course-v1:four": "abcdabcd", "course-v1:one": "a"}
    elements = [
        attempt(f"2023-05-31 09:{place:02}:{second:02}", learner(who), course=course)
        for second, (course, names) in enumerate(learners.items())
        for place, who in enumerate(names)
    ]
    refused = attempt("no time", learner("e"), course="course-v1:four")
    tally = validated([*elements, refused]).tally
    assert (tally.large_courses, tally.large_courses_rejected) == (["course-v1:five"], [])


def test_a_course_has_many_rejected_learners_from_five_with_rejected_elements(monkeypatch):
    monkeypatch.setattr(validation, "BATCH", 4)
    learners = {"course-v1:five": "abcde", "course-v1:four": "abcdabcd", "course-v1:one": "a"}
    refused = [
        attempt("no time", learner(who), course=course)
        for course, names in learners.items()
        for who in names
    ]
    # Neither a valid attempt, nor the same one again, nor an element of nobody makes a fifth.
    valid = attempt(user=learner("e"), course="course-v1:four")
    nobody = attempt("no time", "", course="course-v1:four")
    tally = validated([*refused, valid, valid, nobody]).tally
    assert (tally.large_courses, tally.large_courses_rejected) == ([], ["course-v1:five"])


def test_a_table_with_another_column_or_type_is_no_table_of_attempts():
    table, _ = decode([json.dumps(attempt()).encode()], COLUMNS)
    check_types(table.schema, COLUMNS)
    place = table.column_names.index("created_at")
    for other in (
        table.append_column("more", [[1]]),
        table.set_column(place, "created_at", [["now"]]),
        table.drop_columns("user_id"),
    ):
        with pytest.raises(SchemaErrors):
            check_types(other.schema, COLUMNS)


def test_the_schema_has_no_rule_that_would_not_be_evaluated():
    day = school_day("2023-05-31")
    rules = schema(day.start, day.end, COLUMNS)
    expected = {name: pandera.Column(c.dtype, c.checks, nullable=True)
                for name, c in rules.columns.items()}  # fmt: skip
    assert rules == pandera.DataFrameSchema(expected, strict=True)


def test_an_attempt_that_lacks_a_required_value_without_a_reason_is_never_written(monkeypatch):
    def decode_without_reasons(batch, columns):
        return decode(batch, columns)[0], {}

    monkeypatch.setattr(validation, "decode", decode_without_reasons)
    with pytest.raises(AssertionError, match="without a required value"):
        validated([attempt(user=None)])
    assert validated([attempt(url=None)]).tally.valid == 1


def test_the_courses_of_a_day_are_those_of_the_attempts_learners():
    # In Canvas's text of five parts, only the learner's own id says which part is the learner.
    elements = [
        attempt(user=who, passback_params=repr({
            "oauth_consumer_key": "", "lis_result_sourcedid": f"1-22-{learner('a')}-333"
        }))
        for who in (learner("a"), learner("b"))
    ]  # fmt: skip
    tally = validated(elements).tally
    assert (tally.valid, tally.courses, tally.unread) == (2, {"Canvas 22": 1}, 1)


def test_an_odd_element_costs_itself_only():
    odd = [
        b"null",
        b'{"lti_user_id": "\\ud800", "x": NaN}',
        b'{"is_correct": 1e999, "created_at": Infinity}',
        b'{"is_correct": %s}' % (b"9" * 5000),
        b'{"x": %s%s}' % (b"[" * 200, b"]" * 200),
        json.dumps(attempt(passback_params="{" * 70_000)).encode(),
    ]
    good = [json.dumps(attempt(user=learner(n))).encode() for n in range(len(odd) + 1)]
    pairs = zip(good, [*odd, b"[]"], strict=True)
    found = validated(b"[" + b" ,\n".join(part for pair in pairs for part in pair) + b"]")
    assert [row["position"] for row in found.attempts] == list(range(0, 2 * len(good), 2))
    assert [row["user_id"] for row in found.attempts] == [learner(n) for n in range(len(good))]
    assert [row["row"].encode() for row in found.refused] == [*odd, b"[]"]


NESTS = [(b"[", b"", b"]"), (b'{"a": ', b"1", b"}"), (b'[{"]": "[", "b": ', b"0", b"}]")]


@pytest.mark.parametrize("nest", NESTS)
@pytest.mark.parametrize(
    ("field", "levels", "reasons"),
    [
        ("unused", 5000, ["not_an_object"]),
        *((column.field, 5000, ["not_an_object"]) for column in COLUMNS),
        *((column.field, 200, ["wrong_type"]) for column in COLUMNS),
        ("unused", 200, None),
    ],
)
def test_an_element_too_deep_to_read_costs_itself_only(nest, field, levels, reasons):
    opening, inner, closing = nest
    others = {name: value for name, value in attempt(user="deep").items() if name != field}
    value = opening * levels + inner + closing * levels
    odd = b'%s, "%s": %s}' % (json.dumps(others).encode()[:-1], field.encode(), value)
    good = [json.dumps(attempt(user=learner(n))).encode() for n in range(3)]
    found = validated(b"[%s]" % b", ".join([good[0], odd, good[1], b'{"x": NaN}', good[2]]))
    assert found.tally.received == 5
    assert found.reasons == {3: ["missing_field"]} | ({1: reasons} if reasons else {})
    assert {row["position"] for row in found.attempts} == {0, 1, 2, 3, 4} - set(found.reasons)
    if reasons:
        assert found.refused[0]["row"].encode() == odd


@pytest.mark.parametrize("levels", [200, 5000])
def test_a_passback_text_too_deep_to_read_costs_its_element_only(levels):
    deep = passback(SOURCEDID, f"'x': {'[' * levels}{']' * levels}")
    found = validated([attempt(), deep, attempt(user=learner("b"))])
    assert found.reasons == {1: ["undecodable_passback_params"]}


def test_elements_are_counted_by_attempt_type_and_refused_ones_by_course():
    one, two = "course-v1:one", "course-v1:two"
    found = validated(
        [
            attempt(user=learner("a"), course=one),
            attempt(user=learner("a"), course=one),
            attempt(user=learner("b"), course=one, verdict=1),
            attempt(user=learner("c"), course=one, verdict="1"),
            attempt(user=learner("d"), course=two, verdict=1, attempt_type=" Submit"),
            attempt(user="", course=two, passback_params="?"),
            attempt(user=learner("e"), course=two, attempt_type="preview"),
            attempt(user=learner("f"), course=two, attempt_type=None),
            None,
        ]
    )
    assert found.tally.received_by_type == {"run": 3, "submit": 3}
    assert found.tally.rejected_by_type == {"run": 1, "submit": 2}
    assert found.tally.valid_by_type == {"run": 1, "submit": 1}
    assert found.tally.courses_rejected == {one: 1, two: 3}
    assert found.footer == found.tally


def test_a_day_of_nothing_but_refused_elements_is_still_a_day():
    found = validated([None, {}, attempt(lti_user_id=None), attempt(created_at="now")])
    assert found.attempts == []
    assert found.tally.valid == 0
    assert found.tally.reasons == {
        "not_an_object": 1, "missing_field": 1, "null_field": 1, "bad_timestamp": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("more", "reasons"), [(0, []), (1, ["too_long"])])
def test_the_longest_passback_params_are_read_and_one_character_more_is_refused(more, reasons):
    text = passback(SOURCEDID)["passback_params"]
    filled = text[:-1] + " " * (LONGEST - len(text) + more) + "}"
    assert reasons_of(attempt(passback_params=filled)) == reasons
