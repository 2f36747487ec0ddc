"""The stored files of a day without the elements of forgotten learners.

The tables are changed in one transaction before the files are replaced. If the process ends in
between, the files still have the elements: a repetition finds them again, and the tables stay as
they are.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from grader_pipeline import full_disk
from grader_pipeline.asset_names import VALIDATED_ATTEMPTS
from grader_pipeline.attempts.columns import KEY
from grader_pipeline.attempts.forgotten import ForgottenLearners, Scrubbed, scrub
from grader_pipeline.attempts.forgotten_rows import TakenOut, take_out
from grader_pipeline.attempts.response import NotAListError, unpacked
from grader_pipeline.attempts.validated_file import DamagedFileError, opened, tally_of
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.object_store import exists, open_file
from grader_pipeline.partitions import window
from grader_pipeline.resources.postgres import Connection, Postgres
from grader_pipeline.statements import statement
from grader_pipeline.storage import answers, day_file, put, replace_answer


@dataclass(frozen=True)
class Cleaned:
    """What was done to a day."""

    attempts: int = 0
    elements: int = 0
    files: int = 0
    is_placed: bool = False
    """Whether a file has the answer of the ledger's line, and so the positions in it."""


@dataclass(frozen=True)
class _Answer:
    path: UPath
    file: Path
    scrubbed: Scrubbed


@dataclass(frozen=True)
class _Validated:
    path: UPath
    file: Path
    body_sha256: str
    taken: TakenOut


def clean(postgres: Postgres, date: dt.date, forgotten: ForgottenLearners) -> Cleaned:
    """Clean the files of a day, and move its elements in the ledger. The caller has the lock.

    Raises PermanentFailure if a file is damaged or the disk is full.
    """
    day = window(date)
    with full_disk.temporary_folder("grader-forget-") as folder:
        try:
            found = [
                _scrubbed(path, folder / f"{number}.zst", forgotten)
                for number, path in enumerate(answers(date))
            ]
            validated = _taken_out(date, folder / "validated.parquet", forgotten, found)
        except (NotAListError, DamagedFileError, OSError) as error:
            raise PermanentFailure(
                f"A stored file of {date} {error}. Materialize raw_attempts and validated_attempts "
                "of that day again, or remove the file, and repeat this."
            ) from error
        changed = [answer for answer in found if answer.scrubbed.new]
        taken = validated.taken if validated else None
        attempts = 0
        with postgres.transaction(lock=f"grader/{day.key}") as db:
            places = _places(db, day.parameters, found, validated)
            if changed or (taken and taken.new):
                attempts = _change_tables(db, day.parameters, changed, taken, places)
        files = len(changed)
        if validated and validated.taken.new:
            put(validated.file, validated.path)
            files += 1
        for answer in changed:
            replace_answer(answer.path, answer.file, answer.scrubbed.sha256)
    new = [*(answer.scrubbed.new for answer in changed), taken.new if taken else 0]
    return Cleaned(attempts, max(new), files, places is not None)


def _scrubbed(path: UPath, file: Path, forgotten: ForgottenLearners) -> _Answer:
    with unpacked(open_file(path)) as body:
        return _Answer(path, file, scrub(body, file, forgotten))


def _taken_out(
    date: dt.date, file: Path, forgotten: ForgottenLearners, found: Iterable[_Answer]
) -> _Validated | None:
    path = day_file(VALIDATED_ATTEMPTS, date)
    if not exists(path):
        return None
    with open_file(path) as stored:
        parquet = opened(stored)
        before = tally_of(parquet).body_sha256
        answer = next((a.scrubbed for a in found if a.scrubbed.before == before), None)
        places = answer.places if answer else frozenset()
        sha256 = answer.sha256 if answer and answer.new else before
        return _Validated(path, file, before, take_out(parquet, file, forgotten, places, sha256))


def _places(
    db: Connection,
    day: dict[str, object],
    found: Iterable[_Answer],
    validated: _Validated | None,
) -> frozenset[int] | None:
    """The forgotten elements' positions in the ledger's answer. None if no file has it."""
    rows = db.execute(statement("learners/ledger_answers"), day).fetchall()
    hashes = {sha256 for row in rows for sha256 in row.values()}
    known = [answer.scrubbed.places for answer in found if answer.scrubbed.before in hashes]
    if validated and validated.body_sha256 in hashes:
        known.append(validated.taken.places)
    return frozenset().union(*known) if known else None


def _change_tables(
    db: Connection,
    day: dict[str, object],
    changed: Iterable[_Answer],
    taken: TakenOut | None,
    places: frozenset[int] | None,
) -> int:
    """Give the number of attempts deleted."""
    attempts = taken.attempts if taken else []
    sent = {tuple(attempt[name] for name in KEY): attempt for attempt in attempts}
    columns = {name: [key[place] for key in sent] for place, name in enumerate(KEY)}
    deleted = db.execute(statement("learners/delete_keys"), columns).fetchall()
    # The ledger counts these among the differing ones.
    differing = sum(
        any(row[name] != value for name, value in sent[row["created_at"], row["user_id"]].items())
        for row in deleted
    )
    if places:
        refuse(db, day, places, differing)
    db.execute(statement("learners/note_history"), day)
    for answer in changed:
        hashes = {"before": answer.scrubbed.before, "sha256": answer.scrubbed.sha256}
        db.execute(statement("learners/note_kept"), {**day, **hashes})
    return len(deleted)


def refuse(
    db: Connection, day: dict[str, object], positions: Iterable[int], differing: int = 0
) -> None:
    """Move elements of the day's last load to quarantine as forgotten_learner.

    So many of them were ``differing``.
    """
    db.execute(statement("learners/refuse_elements"), {**day, "positions": sorted(positions)})
    db.execute(statement("learners/bound_differing"), {**day, "differing": differing})
