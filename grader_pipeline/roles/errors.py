"""The ways in which a command ends early: an error, a signal, wrong settings."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pydantic import ValidationError

from grader_pipeline import disk


class LauncherError(Exception):
    """The command cannot do what the user wants. The text says why, and what to do."""


class Stopped(BaseException):
    """The command must end: Ctrl+C, SIGTERM, or a closed terminal."""


def stop_on_signals() -> None:
    """Raise :class:`Stopped` at the first of these signals, and ignore the others from then on."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as it is under nohup
        signal.signal(signal.SIGHUP, stop)


_FORMS = {
    "float_parsing": "write a number, such as 0.5",
    "int_parsing": "write a whole number",
    "bool_parsing": "write true or false",
}
"""What to write, by pydantic's type of error, where pydantic says only what it could not do."""


def explain(error: ValidationError) -> list[str]:
    """What is wrong with the settings: a line for each variable, without its value."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        variable = ".".join(str(part) for part in problem["loc"]).upper()
        message = _FORMS.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}: {message}" if variable else message)
    return lines


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Raise LauncherError in place of OSError. It names ``folder`` and says what to do."""
    try:
        yield
    except OSError as error:
        if disk.is_full(error):
            raise LauncherError(
                f"The disk of {folder} is full ({disk.megabytes(disk.free(folder))} free): make "
                "room, or set GRADER_HOME to a folder on a larger disk."
            ) from None
        raise LauncherError(
            f"{folder} cannot be written ({error.strerror}): set GRADER_HOME to a folder that can."
        ) from None
