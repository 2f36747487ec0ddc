"""Days on the command line."""

import argparse
import datetime as dt
import re

_RUSSIAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)


def day(text: str) -> dt.date:
    """The day of ``2026-11-26`` or ``26.11.2026``. For other texts, argparse shows the error."""
    try:
        if match := _RUSSIAN.fullmatch(text):
            return dt.date(int(match[3]), int(match[2]), int(match[1]))
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no day: write it as 2026-11-26 or 26.11.2026"
        ) from None
