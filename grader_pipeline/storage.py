"""Storage between assets: one file a day, in a local folder or an object store.

An asset gives the local file that it wrote. The next asset gets a path that it can open, local or
not, such as ``GRADER_STORAGE/raw_attempts/2023-05-31.json.zst``: a day can be found, copied and
replaced without Dagster.
"""

import re
import shutil
import tempfile
from pathlib import Path

import dagster as dg
from upath import UPath

from grader_pipeline import full_disk
from grader_pipeline.asset_names import RAW_ATTEMPTS, VALIDATED_ATTEMPTS
from grader_pipeline.atomic_files import replacing
from grader_pipeline.failures import PermanentFailure
from grader_pipeline.partitions import SchoolDay, day_of
from grader_pipeline.settings import Settings

SUFFIXES = {RAW_ATTEMPTS: ".json.zst", VALIDATED_ATTEMPTS: ".parquet"}
"""How the name of a day's file ends, for each asset that keeps files."""


def storage_place(settings: Settings) -> str:
    """The folder or bucket of the files, for Dagster's UI: no user, password or query."""
    return _without_login(settings.storage)


def _without_login(place: str) -> str:
    if "://" not in place:
        return place
    return re.sub(r"(?<=://)[^/]*@", "", place).partition("?")[0]


def local_folder(settings: Settings) -> Path | None:
    """The folder of the files. None if they are in an object store."""
    place = UPath(settings.storage)
    return Path(place.path) if place.protocol in {"", "file"} else None


class DayFiles(dg.ConfigurableIOManager, use_attribute_docstrings=True):
    """The files of raw_attempts and validated_attempts, one a day, in GRADER_STORAGE."""

    where: str = ""
    """The folder or bucket. Files go to GRADER_STORAGE."""

    def path(self, asset: str, day: SchoolDay) -> UPath:
        """Where the file of ``asset`` for ``day`` is, or would be. No other name is read."""
        return UPath(Settings().storage) / asset / f"{day.key}{SUFFIXES[asset]}"

    def handle_output(self, context: dg.OutputContext, obj: Path) -> None:
        """Replace the day's file by ``obj``, whole or not at all.

        Raises PermanentFailure if the disk is full.
        """
        target = self.path(context.asset_key.path[-1], day_of(context))
        put(obj, target)
        context.add_output_metadata(
            {"path": _without_login(str(target)), "size (bytes)": obj.stat().st_size}
        )

    def load_input(self, context: dg.InputContext) -> UPath:
        """The path of the day's file. Raises PermanentFailure if there is none."""
        asset, day = context.asset_key.path[-1], day_of(context)
        path = self.path(asset, day)
        if not path.exists():
            raise PermanentFailure(
                f"Nothing is stored for {asset} of {day.key}: materialize {asset} of that day."
            )
        return path

    def probe(self) -> str:
        """Write and remove a file. Raises PermanentFailure if that fails."""
        where = Settings().storage
        try:
            probe = UPath(where) / "probe"
            with tempfile.TemporaryDirectory() as folder:
                (file := Path(folder) / "probe").write_text("written by grader-pipeline doctor")
                put(file, probe)
            probe.unlink()
        except (OSError, ValueError, ImportError) as error:
            advice = "Set GRADER_STORAGE, or GRADER_HOME, to a folder that can be written."
            if "://" in where.removeprefix("file://"):
                driver = "the object store's fsspec driver"
                if where.startswith("s3://"):
                    driver = "its driver (pip install 'grader-pipeline[s3]')"
                advice = f"Install {driver} and set its credentials."
            raise PermanentFailure(
                f"GRADER_STORAGE ({_without_login(where)}) cannot be written: {error}. {advice}"
            ) from error
        return f"{_without_login(where)} can be written"


def put(file: Path, target: UPath) -> None:
    """Replace ``target`` by ``file``, whole or not at all. Raises what the storage raises."""
    if target.protocol not in {"", "file"}:
        target.parent.mkdir(parents=True, exist_ok=True)
        # An object appears when its upload is complete.
        target.fs.put_file(str(file), target.path)
        return
    path = Path(target.path)
    with full_disk.room(path.parent, "GRADER_STORAGE", needed=file.stat().st_size):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as out, file.open("rb") as source:
            shutil.copyfileobj(source, out, 1024 * 1024)
