"""How the command ends other than by being done."""

import signal
from types import FrameType

from pydantic import ValidationError


class LauncherError(Exception):
    """The command cannot do what was asked; the text says why, and what to do."""


class Stopped(BaseException):
    """Somebody asked the command to end: Ctrl+C, SIGTERM, or a closed terminal."""


def stop_on_signals() -> None:
    """Have the first such signal raise :class:`Stopped`; further ones do not disturb the ending."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as it is under nohup
        signal.signal(signal.SIGHUP, stop)


def explain(error: ValidationError) -> list[str]:
    """What is wrong with the settings, a line per variable, without the values."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        variable = ".".join(str(part) for part in problem["loc"]).upper()
        message = problem["msg"].removeprefix("Value error, ")
        lines.append(f"{variable}: {message}" if variable else message)
    return lines
