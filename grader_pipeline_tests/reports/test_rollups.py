"""The rollup of a day on the client is the one that PostgreSQL computed in releases before it.

The attempts are of every kind that the table ``grader`` can hold: not only loads
write there.
"""

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from grader_pipeline.attempts.columns import COLUMNS, NAMES
from grader_pipeline.attempts.rollup import LONGEST_PAUSE, DayRollup, Rollup
from grader_pipeline.partitions import school_day
from grader_pipeline.reports.rollups import has_rollup, roll_up, stored_attempts
from grader_pipeline.resources.postgres import Connection, copy_in
from grader_pipeline.statements import statement
from grader_pipeline_tests.attempts.sourcedids import READABLE, UNREADABLE
from grader_pipeline_tests.grader import learner
from grader_pipeline_tests.reports.conftest import School
from grader_pipeline_tests.reports.school_days import DAY, OK, RUN, WRONG, X, Y, at

_IN_SQL = Path(__file__).with_name("rollup_in_sql.sql").read_bytes()
_OF = school_day(DAY.isoformat())
_FIRST = _OF.start.replace(tzinfo=None)
_SECONDS = int((_OF.end - _OF.start).total_seconds())
_ATTEMPTS = pa.schema([(column.name, column.kind.arrow) for column in COLUMNS])
_LEARNERS = [*(learner(n) for n in range(300)), "x", "Ann", "a,b", 'quo"te', "l\nine", "я" * 255]
# A pause that counts, the longest one that does, and the shortest one that does not.
_PAUSES = (1, 999_999, 60_000_000, LONGEST_PAUSE, LONGEST_PAUSE + 1, 3 * LONGEST_PAUSE)
_HOSTILE = (
    None,
    "",
    "\\.",
    "\\N",
    "NULL",
    '"',
    "\r\n",
    "\N{NO-BREAK SPACE}",
    "a\tb",
    "\U0001f40d:",
)


def drawn(number: int, seed: int) -> pa.Table:
    """So many attempts of the day, in no order."""
    dice = random.Random(seed)
    rows: dict[tuple[str, dt.datetime], dict[str, Any]] = {}
    while len(rows) < number:
        who, text = dice.choice(_LEARNERS), dice.choice(_texts(dice))
        if text is not None:
            text = text.replace(learner("ann"), who)
        moment = _FIRST + dt.timedelta(seconds=dice.randrange(_SECONDS // 60) * 60)
        # A session on the task. Times of learners are often equal.
        for _ in range(dice.randrange(1, 12)):
            if moment >= _OF.end.replace(tzinfo=None):
                break
            rows[who, moment] = {
                "user_id": who,
                "oauth_consumer_key": dice.choice((None, "", "00123")),
                "lis_result_sourcedid": text,
                "lis_outcome_service_url": dice.choice((None, "", "https://lms", '",\n')),
                "is_correct": dice.choice((None, True, False)),
                "attempt_type": dice.choice(("run", "submit", "submit", None, "", "RUN", "other")),
                "created_at": moment,
            }
            moment += dt.timedelta(microseconds=dice.choice(_PAUSES))
    return pa.Table.from_pylist(list(rows.values())[:number], _ATTEMPTS)


def _texts(dice: random.Random) -> list[str | None]:
    some = f"course-v1:S+{dice.randrange(4)}+1:lms.example.org-{learner(dice.randrange(9))}"
    return [f"{some}:{learner('ann')}", *dice.sample([*READABLE, *UNREADABLE, *_HOSTILE], 2)]


def store(db: Connection, attempts: pa.Table) -> None:
    columns = ", ".join(NAMES)
    copy_in(db, f"COPY grader ({columns}) FROM STDIN (FORMAT binary)".encode(), [attempts])


def batches(attempts: pa.Table, rows: int) -> Iterator[pa.Table]:
    for start in range(0, attempts.num_rows, rows):
        yield attempts.slice(start, rows)


def in_order(rollup: Rollup) -> list[Any]:
    rows = rollup.engagements.to_pylist()
    return sorted(
        (rollup.learners[row.pop("learner")], rollup.tasks[row.pop("task")], *row.values())
        for row in rows
    )


@pytest.mark.parametrize(("number", "seed"), [(0, 0), (1, 1), (500, 2), (25_000, 3)])
def test_every_column_is_what_postgresql_computed(school: School, number: int, seed: int) -> None:
    with school.postgres.transaction() as db:
        store(db, drawn(number, seed))
        roll_up(db, _OF)
        db.execute("DROP TABLE fresh_engagement")
        db.execute(_IN_SQL, _OF.parameters)
        names = [row["name"] for row in db.execute(
            "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'fresh_engagement'::regclass"
            " AND attnum > 0 ORDER BY attnum"
        )]  # fmt: skip
        # As text: two intervals may be equal and still be written in two ways.
        whole = 'SELECT ROW ({columns})::text COLLATE "C" AS line FROM {table} ORDER BY line'
        found, expected = (
            [row["line"] for row in db.execute(
                whole.format(columns=", ".join(names), table=table).encode()
            )]
            for table in ("learner_task_day", "fresh_engagement")
        )  # fmt: skip
        assert found == expected
        assert len(found) >= number / 10
        (rolled,) = db.execute("SELECT attempts FROM rollup_day").fetchall()
        assert rolled == {"attempts": number}


def test_the_stored_day_gives_what_the_file_gives_however_it_is_cut(school: School) -> None:
    attempts = drawn(21_000, 4)
    of_file = DayRollup()
    taken = list(of_file.adding(batches(attempts, 1_000)))
    assert pa.concat_tables(taken) == attempts
    of_table = DayRollup()
    with school.postgres.transaction() as db:
        db.execute("SET LOCAL datestyle = 'German'")
        store(db, attempts)
        tables = list(stored_attempts(db, _OF))
    for table in tables:
        of_table.add(table)
    at_once = DayRollup()
    at_once.add(attempts)
    assert len(tables) > 1
    found = of_file.summed_up()
    assert found.attempts == attempts.num_rows
    for other in (of_table.summed_up(), at_once.summed_up()):
        assert other.attempts == found.attempts
        assert in_order(other) == in_order(found)


def test_an_engagement_of_one_day_is_what_rolling_up_all_its_days_gives(school: School) -> None:
    days: dict[int, list[Any]] = {
        back: [
            at(f"{9 + n % 8:02}:{n * 7 % 60:02}", f"u{(n + 2 * back) % (9 + back)}",
               (RUN, WRONG, OK, RUN)[(n * 5 + back) % 4], (X, Y)[n % 2], back=back)
            for n in range(24)
        ]
        for back in (3, 0, 1)
    }  # fmt: skip
    for back, attempts in days.items():
        school.load(DAY - dt.timedelta(days=back), attempts)
    before = school.ask("SELECT xmin::text, * FROM engagement ORDER BY id")
    with school.postgres.transaction() as db:
        db.execute(
            "CREATE TEMPORARY TABLE touched_engagement ON COMMIT DROP AS"
            " SELECT DISTINCT engagement, learner, task FROM engagement_day"
        )
        # It writes only what differs.
        assert db.execute(statement("load/roll_up_engagements")).rowcount == 0
    assert school.ask("SELECT xmin::text, * FROM engagement ORDER BY id") == before
    several = school.ask(
        "SELECT engagement FROM engagement_day GROUP BY engagement HAVING count(*) > 1"
    )
    assert 5 < len(several) < len(before)


def test_a_day_is_in_the_rollups_once_it_was_rolled_up(school: School) -> None:
    with school.postgres.transaction() as db:
        assert not has_rollup(db, _OF)
        roll_up(db, _OF)
        assert has_rollup(db, _OF)
