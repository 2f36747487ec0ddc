"""Storage between assets: one file a day, in a local folder or an object store.

An asset gives the local file that it wrote. The next asset gets a path that it can open, local or
not, such as ``GRADER_STORAGE/raw_attempts/2023-05-31.json.zst``: a day can be found, copied and
replaced without Dagster.

Beside the current answers are the *kept* ones: earlier answers of a day that attempts were loaded
from, as ``GRADER_STORAGE/kept_answers/2023-05-31/SHA256.json.zst``. The name is the hash of the
unpacked answer.
"""

import datetime as dt
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import dagster as dg
from pydantic import Field
from upath import UPath

from grader_pipeline import disk, full_disk, object_store
from grader_pipeline.asset_names import RAW_ATTEMPTS, VALIDATED_ATTEMPTS
from grader_pipeline.atomic_files import replacing
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.object_store import exists, is_local, names, open_file, remove, without_login
from grader_pipeline.partitions import SchoolDay, day_of
from grader_pipeline.settings import Settings

SUFFIXES = {RAW_ATTEMPTS: ".json.zst", VALIDATED_ATTEMPTS: ".parquet"}
"""How the name of a day's file ends, for each asset that keeps files."""

_KEPT = "kept_answers"
_ANSWER = SUFFIXES[RAW_ATTEMPTS]
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def storage_place(settings: Settings) -> str:
    """The folder or bucket of the files, for Dagster's UI: no user, password or query."""
    return without_login(settings.storage)


def local_folder(settings: Settings) -> Path | None:
    """The folder of the files. None if they are in an object store."""
    place = object_store.place(settings.storage)
    return Path(place.path) if is_local(place) else None


class Replacement(NamedTuple):
    """A day's file that replaces one that is to be kept."""

    file: Path
    kept_sha256: str
    """The hash of the unpacked stored answer."""


class DayFiles(dg.ConfigurableIOManager):
    """The files of raw_attempts and validated_attempts, one a day, in GRADER_STORAGE."""

    where: str = Field(default="", description="The folder or bucket. Files go to GRADER_STORAGE.")

    def path(self, asset: str, day: SchoolDay) -> UPath:
        """Where the file of ``asset`` for ``day`` is, or would be. No other name is read."""
        return day_file(asset, day.date)

    def handle_output(self, context: dg.OutputContext, obj: Path | Replacement) -> None:
        """Replace the day's file by ``obj``, whole or not at all.

        Raises PermanentFailure if the disk is full.
        """
        day = day_of(context)
        target = self.path(context.asset_key.path[-1], day)
        if isinstance(obj, Replacement):
            file, keep = obj.file, kept_answer(day.date, obj.kept_sha256)
        else:
            file, keep = obj, None
        put(file, target, keep=keep)
        context.add_output_metadata(
            {"path": without_login(str(target)), "size (bytes)": file.stat().st_size}
        )

    def load_input(self, context: dg.InputContext) -> UPath:
        """The path of the day's file. Raises PermanentFailure if there is none."""
        asset, day = context.asset_key.path[-1], day_of(context)
        path = self.path(asset, day)
        if not exists(path):
            raise PermanentFailure(
                f"Nothing is stored for {asset} of {day.key}: materialize {asset} of that day."
            )
        return path

    def probe(self) -> str:
        """Write, read, list and remove a file. Raises PermanentFailure if that fails.

        A local folder that is not there yet is not made.

        Raises TransientFailure if an object store does not answer.
        """
        where = Settings().storage
        try:
            local = local_folder(Settings())
            if local is not None and not local.exists():
                if not disk.is_writable(local):
                    raise OSError("the folder cannot be made")  # noqa: TRY301 - explained below
                return f"{local} can be made and written"
            probe = root() / "probe"
            with tempfile.TemporaryDirectory() as folder:
                (file := Path(folder) / "probe").write_text("written by grader-pipeline doctor")
                put(file, probe)
            with open_file(probe):
                remove(probe)
            names(root())
        except (OSError, ValueError, ImportError) as error:
            advice = "Set GRADER_STORAGE, or GRADER_HOME, to a folder that can be written."
            if object_store.is_store(where):
                driver = "the object store's fsspec driver"
                if where.startswith("s3://"):
                    driver = "its driver (pip install 'grader-pipeline[s3]')"
                advice = f"Install {driver} and set its credentials."
            raise PermanentFailure(
                f"GRADER_STORAGE ({without_login(where)}) cannot be written: {error}. {advice}"
            ) from error
        return f"{without_login(where)} can be written"


def answers(date: dt.date) -> list[UPath]:
    """The answers of a day: the current one, if there is one, and then those that are kept."""
    current = day_file(RAW_ATTEMPTS, date)
    kept = names(root() / _KEPT / date.isoformat())
    return [
        *([current] if exists(current) else []),
        *(kept_answer(date, name.removesuffix(_ANSWER)) for name in kept if name.endswith(_ANSWER)),
    ]


def stored_files() -> list[tuple[dt.date, UPath]]:
    """The answers, current and kept, and the validated days: each with its day."""
    return [
        (date, file)
        for date in days_with_files()
        for file in (*answers(date), day_file(VALIDATED_ATTEMPTS, date))
        if exists(file)
    ]


def files_by_day(folder: UPath, suffix: str) -> list[tuple[dt.date, UPath]]:
    """The files ``DAY.suffix`` of a folder, by name. None if it is not there."""
    days = [name.removesuffix(suffix) for name in names(folder) if name.endswith(suffix)]
    return [
        (dt.date.fromisoformat(day), folder / f"{day}{suffix}")
        for day in days
        if _DAY.fullmatch(day)
    ]


def days_with_files() -> list[dt.date]:
    """The days, oldest first, that have an answer or a validated day."""
    suffix = SUFFIXES[VALIDATED_ATTEMPTS]
    days = [name.removesuffix(suffix) for name in names(root() / VALIDATED_ATTEMPTS)]
    validated = {dt.date.fromisoformat(day) for day in days if _DAY.fullmatch(day)}
    return sorted({*days_with_answers(), *validated})


def kept_answer(date: dt.date, sha256: str) -> UPath:
    """Where an earlier answer of a day is kept, or would be. ``sha256`` is its unpacked hash."""
    return root() / _KEPT / date.isoformat() / f"{sha256}{_ANSWER}"


def kept_sha256(answer: UPath) -> str | None:
    """The hash that one of :func:`answers` is kept by. None for the current one."""
    is_current = answer.parent.name == RAW_ATTEMPTS
    return None if is_current else answer.name.removesuffix(_ANSWER)


def days_with_answers() -> list[dt.date]:
    """The days, oldest first, that have an answer: a current or a kept one."""
    current = names(root() / RAW_ATTEMPTS)
    days = [name.removesuffix(_ANSWER) for name in current if name.endswith(_ANSWER)]
    found = {*days, *names(root() / _KEPT)}
    return sorted(dt.date.fromisoformat(name) for name in found if _DAY.fullmatch(name))


def replace_answer(answer: UPath, file: Path, sha256: str) -> UPath:
    """Replace one of :func:`answers` by the packed ``file``, whose unpacked hash is ``sha256``.

    A current answer keeps its name. A kept one gets that of its hash: the new file is there before
    the old one goes. Returns where it is. Raises like :func:`put`.
    """
    if kept_sha256(answer) is None:
        put(file, answer)
        return answer
    target = answer.parent / f"{sha256}{_ANSWER}"
    put(file, target)
    if target != answer:
        remove(answer)
    return target


def put(file: Path, target: UPath, *, keep: UPath | None = None) -> None:
    """Replace ``target`` by ``file``, whole or not at all.

    What ``target`` was is copied to ``keep`` first, unless there is a file. If one of the two
    cannot be written, ``target`` is as it was.

    Raises PermanentFailure if a local disk is full, what a local disk raises, and like
    ``object_store.upload``.
    """
    keep = keep if keep and not exists(keep) else None
    if not is_local(target):
        object_store.upload(file, target, keep)
        return
    path = Path(target.path)
    with full_disk.room(path.parent, "GRADER_STORAGE", needed=file.stat().st_size):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as out, file.open("rb") as source:
            shutil.copyfileobj(source, out, 1024 * 1024)
            if keep:
                put(path, keep)


def root() -> UPath:
    """The folder or store of all files."""
    return object_store.place(Settings().storage)


def day_file(asset: str, date: dt.date) -> UPath:
    """Where the file of ``asset`` for a day is, or would be."""
    return root() / asset / f"{date.isoformat()}{SUFFIXES[asset]}"
