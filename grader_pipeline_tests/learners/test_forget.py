"""A forgotten learner is in no table and no file, and everything else is as it was."""

import datetime as dt
import getpass
import io
import json
import os
import pkgutil
import shutil
import signal
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import psycopg
import pyarrow as pa
import pytest

from grader_pipeline.attempts.forgotten import FORGOTTEN
from grader_pipeline.learners.forget import forget as forget_learner
from grader_pipeline.mail.resource import Mail
from grader_pipeline.mail.sensor import Cursor, evaluate
from grader_pipeline.resources.learner_lists import LEARNERS
from grader_pipeline_tests.assets.conftest import failure_of
from grader_pipeline_tests.grader import attempt, learner
from grader_pipeline_tests.learners.world import (
    GONE,
    World,
    all_elements,
    answering,
    contents,
    days,
    home,
    opened,
    school,
    without,
)

Run = Callable[..., Any]


def changed(elements: dict[dt.date, list[Any]]) -> dict[dt.date, list[Any]]:
    """Later answers of some days, which lack an element and have other verdicts."""
    return {
        date: [
            {**e, "is_correct": 1} if e and e["attempt_type"] == "submit" else e for e in found[1:]
        ]
        for date, found in elements.items()
        if date.day % 7 == 0
    }


def forget(run: Run, who: str = GONE) -> str:
    done = run("learner", "forget", "--yes", "--", who)
    assert done.returncode == 0, done.stderr + done.stdout
    assert who not in done.stdout + done.stderr
    return str(done.stdout)


def traces(world: World, who: str) -> list[str]:
    """Where the id still is, in any spelling."""
    plain = {who, repr(who)[1:-1], quote(who), quote(who, safe="")}
    spellings = {json.dumps(text)[1:-1] for text in plain} | plain
    files = [
        str(path)
        for path, content in contents(home())
        if any(s.encode() in content for s in spellings)
    ]
    dump = world.dump()
    return [*files, *(["database"] if any(s in dump for s in spellings) else [])]


@pytest.mark.timeout(900)
def test_after_a_learner_of_30_days_is_forgotten_all_is_as_in_a_world_without_them(
    new_world: Callable[[str], World], run: Run
) -> None:
    elements = school(30)
    later = changed(elements)
    twin = new_world("twin")
    twin.load(without(elements))
    twin.load(without(later))
    twin.refresh()
    expected = twin.reports()

    world = new_world("world")
    world.load(elements)
    world.load(later)
    world.refresh()
    assert world.reports() != expected
    before = all_elements(days(30))
    assert len(before) > 30
    ledger = world.ask("SELECT sum(received) FROM grader_load")

    said = forget(run)
    assert "Days: 30" in said
    assert traces(world, GONE) == []
    assert world.reports() == expected
    assert world.ledger_closes()
    assert world.ask("SELECT sum(received) FROM grader_load") == ledger
    after = all_elements(days(30))
    assert after.keys() == before.keys()
    for place, elements_before in before.items():
        theirs = [GONE.encode() in element for element in elements_before]
        assert any(theirs)
        assert after[place] == [
            FORGOTTEN if is_theirs else element
            for is_theirs, element in zip(theirs, elements_before, strict=True)
        ]

    world.load(elements | later)
    world.refresh()
    assert traces(world, GONE) == []
    assert world.reports() == expected
    assert world.ledger_closes()


@pytest.fixture
def two_days(world: World) -> World:
    """Two days with reports, the second with an earlier answer beside the current one."""
    elements = school(2)
    world.load(elements)
    world.load({date: found[1:] for date, found in list(elements.items())[1:]})
    world.refresh()
    return world


def test_a_command_that_is_killed_at_any_moment_can_be_repeated(two_days: World, run: Run) -> None:
    positions = {
        place: [GONE.encode() in element for element in found]
        for place, found in all_elements(days(2)).items()
    }
    ledger = two_days.ask("SELECT report_date, received FROM grader_load ORDER BY 1")
    for tenth in range(12):
        if (child := os.fork()) == 0:
            try:
                forgetting()
            finally:
                os._exit(0)
        time.sleep(tenth / 20)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    forget(run)
    assert traces(two_days, GONE) == []
    assert two_days.ledger_closes()
    assert two_days.ask("SELECT report_date, received FROM grader_load ORDER BY 1") == ledger
    assert {
        place: [element == FORGOTTEN for element in found]
        for place, found in all_elements(days(2)).items()
    } == positions


def test_logs_mails_the_workbook_and_dagsters_storage_have_no_id_either(
    new_world: Callable[..., World], run: Run
) -> None:
    world = new_world("world", on_disk=True)
    world.grader.answer = answering(school(2))
    for date in days(2):
        assert world.run(date, None).success
    with opened() as postgres:
        evaluate(world.instance, postgres, Mail(), Cursor())
    forget(run)
    assert world.run(days(1)[0], None).success
    written = {path.relative_to(home()).parts[0] for path, _ in contents(home())}
    assert {"dagster", "logs", "outbox", "storage"} < written
    assert any(name.endswith(".xlsx") for name in written)
    assert traces(world, GONE) == []


def forgetting(who: str = GONE) -> None:
    with opened() as postgres:
        forget_learner(postgres, who, lambda *_: None)


@pytest.mark.parametrize(
    "point",
    ["files._change_tables", "files.put", "files.replace_answer", "tables.delete_attempts",
     "tables.refuse_rejected", "tables.delete_numbers", "tables.clean_texts", "tables.empty_mails"],
)  # fmt: skip
@pytest.mark.parametrize("after", [False, True])
def test_a_command_that_ends_between_two_steps_is_finished_by_the_next_one(
    point: str, after: bool, two_days: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"grader_pipeline.learners.{point}"
    step = pkgutil.resolve_name(name.replace(".files.", ".files:").replace(".tables.", ".tables:"))

    def end(*arguments: Any, **named: Any) -> None:
        if after:
            step(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(name, end)
        with pytest.raises(KeyboardInterrupt):
            forgetting()
    forget(run)
    assert traces(two_days, GONE) == []
    assert two_days.ledger_closes()
    refused = "SELECT DISTINCT reasons, row FROM grader_rejected WHERE row = ''"
    assert two_days.ask(refused) == [(["forgotten_learner"], "")]


@pytest.mark.parametrize(
    "who",
    ['o\'Brien "x" 50%', "back\\slash-{}", "Ёжик Иванович", "ann+maria@school.example", "x" * 255],
)
def test_an_id_of_any_characters_is_forgotten_and_not_brought_back(
    who: str, world: World, run: Run
) -> None:
    elements = school(1, who)
    elements[days(1)[0]].append(attempt("2023-05-01 09:00:00", who[:-1]))
    world.load(elements)
    world.refresh()
    attempts = "SELECT user_id, lis_result_sourcedid FROM grader ORDER BY id"
    left = [row for row in world.ask(attempts) if not any(who in text for text in row)]
    assert 0 < len(left) < len(world.ask(attempts))
    forget(run, who)
    assert traces(world, who) == []
    assert world.ask(attempts) == left
    world.load(elements)
    assert traces(world, who) == []
    assert world.ask(attempts) == left
    assert world.ledger_closes()


def test_a_learner_whose_id_is_in_a_sourcedid_only_is_forgotten(world: World, run: Run) -> None:
    day = days(1)[0]
    theirs = [
        {**attempt(f"{day} 09:00:0{n}", GONE), "lti_user_id": user}
        for n, user in enumerate([None, learner(1), "", 17])
    ]
    encoded = attempt(f"{day} 09:01:00", learner(2))
    encoded["passback_params"] = repr(
        {"lis_result_sourcedid": quote(f"course-v1:S+A+1:lms.example.org-lab:{GONE}", safe="")}
    )
    others = [attempt(f"{day} 10:00:00", learner(1)), attempt(f"{day} 10:00:00", GONE[:-1])]
    world.load({day: [*theirs, encoded, *others]})
    forget(run)
    assert traces(world, GONE) == []
    assert world.ask("SELECT user_id FROM grader ORDER BY id") == [(learner(1),), (GONE[:-1],)]
    assert world.ledger_closes()


def test_days_without_files_and_rows_of_others_are_forgotten_too(two_days: World, run: Run) -> None:
    shutil.rmtree(home() / "storage")
    with psycopg.connect(two_days.url) as db:
        db.execute("INSERT INTO grader (user_id, attempt_type, created_at)"
                   " VALUES (%s, 'run', '2020-01-01')", [GONE])  # fmt: skip
        encoded = f"{GONE[:9]}=\n{GONE[9:]}"
        mail = f"Content-Transfer-Encoding: quoted-printable\n\n{encoded}".encode()
        for key, message in (("a", mail), ("b", mail), ("c", b"m")):
            db.execute(
                "INSERT INTO mail_outbox (key, kind, subject, message) VALUES (%s, 'x', 's', %s)",
                [key, message],
            )
        db.execute("UPDATE mail_outbox SET state = 'sent' WHERE key = 'b'")
        db.execute("INSERT INTO report_failure VALUES ('2023-05-01', 'x', %s)", [f"in {GONE}!"])
        db.execute("INSERT INTO excluded_learner VALUES (%s)", [GONE])
        db.execute("CREATE TABLE former_report (report_date date, name text)")
        db.execute("INSERT INTO former_report VALUES ('2023-05-01', %s)", [GONE])
    assert "2 mails" in forget(run)
    assert traces(two_days, GONE) == []
    assert two_days.ledger_closes()
    assert two_days.ask("SELECT key, state, message = '' FROM mail_outbox ORDER BY key") == [
        ("b", "sent", True), ("c", "queued", False)
    ]  # fmt: skip


def test_a_file_that_still_has_the_learner_is_not_loaded(two_days: World, run: Run) -> None:
    """A backup of GRADER_STORAGE that was restored."""
    shutil.copytree(home() / "storage", backup := home().parent / "backup")
    forget(run)
    shutil.copytree(backup, home() / "storage", dirs_exist_ok=True)
    said = failure_of(two_days.run(days(1)[0], ["grader_table"]))
    assert "learner who was forgotten" in said
    assert GONE not in said
    forget(run)
    assert two_days.run(days(1)[0], ["grader_table"]).success
    assert traces(two_days, GONE) == []
    assert two_days.ledger_closes()


def test_a_load_under_way_does_not_bring_the_learner_back(two_days: World, run: Run) -> None:
    """It has read the list before. The command waits until it has stored the attempts."""
    elements = school(3)
    with opened() as load, load.holding(LEARNERS, shared=True):
        command = threading.Thread(target=forgetting)
        command.start()
        deadline = time.monotonic() + 30
        while not two_days.ask("SELECT FROM forgotten_learner"):
            assert time.monotonic() < deadline
        with load.transaction() as db:
            db.execute(
                "INSERT INTO grader (user_id, attempt_type, created_at)"
                " VALUES (%s, 'run', '2023-05-03 10:00')",
                [GONE],
            )
        (home() / "storage/raw_attempts/2023-05-03.json.zst").write_bytes(
            pa.compress(json.dumps(elements[days(3)[2]]).encode(), "zstd", asbytes=True)
        )
        assert command.is_alive()
    command.join(60)
    two_days.refresh()
    assert traces(two_days, GONE) == []


def test_while_nobody_is_forgotten_nothing_is_hashed(
    two_days: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader_pipeline.attempts.forgotten.hmac.digest", None)
    two_days.load(school(2))


def test_each_deed_leaves_a_line_without_the_id(two_days: World, run: Run) -> None:
    two_days.load(school(1), ops={"grader_table": {"config": {"on_conflict": "update"}}})
    for deed in (["exclude"], ["include"], ["forget", "--yes"]):
        assert run("learner", *deed, GONE).returncode == 0
    assert run("recompute", "--from", "2023-05-02").returncode == 0
    columns = "action, done_by, days, first_date, last_date"
    lines = two_days.ask(f"SELECT {columns} FROM audit_log ORDER BY id")
    first, second = days(2)
    user = getpass.getuser()
    run_id = two_days.instance.get_runs(limit=1)[0].run_id
    assert lines == [
        ("update", run_id, 1, first, first),
        *((deed, user, 2, first, second) for deed in ("exclude", "include", "forget")),
        ("recompute", user, 1, second, second),
    ]
    hashes = two_days.ask("SELECT DISTINCT learner FROM audit_log WHERE learner IS NOT NULL")
    assert hashes == two_days.ask("SELECT hash FROM forgotten_learner")


def test_a_deed_through_sudo_is_that_of_who_called_it(
    two_days: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "anna")
    assert run("learner", "exclude", GONE).returncode == 0
    assert two_days.ask("SELECT done_by FROM audit_log") == [("anna",)]


def test_the_id_may_come_from_standard_input_and_somebody_confirms(
    two_days: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["-"], [GONE]):
        monkeypatch.setattr("sys.stdin", io.StringIO(GONE + "\n"))
        refused = run("learner", "forget", *arguments)
        assert refused.returncode == 1
        assert "add --yes" in refused.stderr
    assert not two_days.ask("SELECT FROM forgotten_learner")
    monkeypatch.setattr("sys.stdin", io.StringIO(GONE + "\n"))
    assert run("learner", "forget", "--yes", "-").returncode == 0
    assert traces(two_days, GONE) == []
