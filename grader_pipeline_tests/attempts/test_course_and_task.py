"""Course and task of an attempt, in Python and in SQL."""

import re
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from grader_pipeline.attempts.course_and_task import course_and_task, courses_and_tasks
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.attempts.sourcedids import (
    ANN,
    BLOCKS,
    COURSE,
    COURSES,
    HEX,
    HOSTS,
    READABLE,
    SIGNATURE,
    UNREADABLE,
    texts,
)
from grader_pipeline_tests.grader import learner


@pytest.mark.parametrize(("text", "names"), READABLE.items())
def test_course_and_task_are_read(text: str, names: tuple[str, str]) -> None:
    assert course_and_task(text, ANN) == names


@pytest.mark.parametrize("text", UNREADABLE)
def test_no_part_of_any_other_text_is_a_name(text: str) -> None:
    assert course_and_task(text, ANN) is None


OPEN_EDX = f"{COURSE}:lms.example.org"


@pytest.mark.parametrize(
    ("text", "who", "names"),
    [
        # A learner's id has at least 8 characters. It may be less than a number or a signature.
        ("1-22-333-00000000", "00000000", ("Canvas 22", "1-22-333")),
        (f"1-22-00000000-{SIGNATURE}", "00000000", ("Canvas", "1-22")),
        (f"1-22-ffffffff-{SIGNATURE}", "ffffffff", ("Canvas", "1-22")),
        ("1-22-0000000-333", "0000000", ("Canvas 22", "1-22-0000000")),
        (f"{OPEN_EDX}-00000000:00000000", "00000000", None),
        (f"{OPEN_EDX}-0000000:0000000", "0000000", (COURSE, "0000000")),
        # An id that is no text when decoded makes the whole text unreadable.
        (f"{OPEN_EDX}-lab:%FF", "%FF", None),
    ],
)
def test_a_learners_id_is_no_part_of_a_name(
    text: str, who: str, names: tuple[str, str] | None
) -> None:
    assert course_and_task(text, who) == names


_LEARNERS = (ANN, learner("bob"), HEX, "00000000", "0000000", "lab", "%FF", "lab_one_", "", None)
_OF_LEARNER = st.builds(
    "{}:{}-{}:{}".format,
    COURSES,
    st.sampled_from(HOSTS),
    BLOCKS | st.sampled_from([f"a{ANN}", *filter(None, _LEARNERS)]),
    st.sampled_from(_LEARNERS),
)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(_LEARNERS),
            texts() | _OF_LEARNER | st.sampled_from([*READABLE, *UNREADABLE, "", None]),
        ),
        max_size=60,
    )
)
def test_many_attempts_have_the_course_and_task_of_each(
    attempts: list[tuple[str | None, str | None]],
) -> None:
    columns = [pa.array([each[place] for each in attempts], pa.string()) for place in (0, 1)]
    expected = [course_and_task(text or "", who or "") for who, text in attempts]
    for given_as in (columns, [column.dictionary_encode() for column in columns]):
        names, places = courses_and_tasks(*given_as)
        assert len(names) == len(set(names))
        assert [names[place] for place in places] == expected


# After a host of one name, such a block cannot be told from the rest of a host with dashes.
_LIKE_A_HOST = re.compile(r"[\w-]*\w(\.\w+)*\.[a-z]{2,}-", re.IGNORECASE)


@given(course=COURSES, host=st.sampled_from(HOSTS), blocks=st.tuples(BLOCKS, BLOCKS))
def test_both_spellings_are_one_course_and_two_blocks_are_two_tasks(
    course: str, host: str, blocks: tuple[str, str]
) -> None:
    assume("." in host or not any(map(_LIKE_A_HOST.match, blocks)))
    found = {
        (block, names)
        for block in blocks
        for spelled in (str, quote)
        for who in (ANN, learner("bob"))
        if (names := course_and_task(f"{spelled(course)}:{spelled(f'{host}-{block}')}:{who}", who))
    }
    assert len(found) == len({names for _, names in found}) == len(set(blocks))
    assert {names[0] for _, names in found} == {course}


def in_sql(postgres: Postgres, function: str, given: list[str]) -> list[Any]:
    query = (
        f"SELECT {function}(text, %s) AS names FROM unnest(%s::text[])"
        " WITH ORDINALITY AS given (text, place) ORDER BY place"
    )
    with postgres.transaction() as db:
        rows = db.execute(query.encode(), [ANN, given]).fetchall()
    return [tuple(row["names"]) if row["names"] else None for row in rows]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.lists(texts(), min_size=20, max_size=60))
def test_sql_reads_what_python_reads(database_url: str, drawn: list[str]) -> None:
    postgres = Postgres.at(database_url)
    given = [*drawn, *READABLE, *UNREADABLE]
    expected = [course_and_task(text, ANN) for text in given]
    for function in ("course_and_task", "parsed_course_and_task"):
        found = in_sql(postgres, function, given)
        assert [*zip(given, found, strict=True)] == [*zip(given, expected, strict=True)]
    postgres.close()
