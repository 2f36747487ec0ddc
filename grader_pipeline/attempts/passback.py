"""``passback_params``: the text of a Python dict, as the LMS handed it to the grader.

It is not JSON: values have apostrophes, double quotes or None. Only Python's own grammar reads
every text.
"""

import ast
import re
import warnings
from collections.abc import Iterable

from grader_pipeline.attempts.columns import COLUMNS, PASSBACK

KEYS = tuple(column.name for column in COLUMNS if column.field == PASSBACK)
"""The keys of the dict that are columns of an attempt."""

LONGEST = 64 * 1024
"""Characters. A longer text is refused unread, because the parser's memory grows with it."""

# What Python writes of a dict with these keys in this order, some of them, and with plain values.
# A character that the parser reads as another one, or refuses, is in no plain value: backslashes,
# line breaks, NUL and halves of surrogate pairs.
_OTHER = r"\\\r\n\0\ud800-\udfff"
_PLAIN = rf"""None|'[^'{_OTHER}]*'|"[^"{_OTHER}]*\""""
_PAIRS = (rf"(?:'{re.escape(key)}': ({_PLAIN})(?:, (?=')|(?=}})))?" for key in KEYS)
PLAIN_DICT = re.compile(rf"{{{''.join(_PAIRS)}}}")


def decode(texts: Iterable[str]) -> dict[str, dict[object, object] | None]:
    """The dict that each of ``texts`` is; None for a text that is not one Python dict."""
    with warnings.catch_warnings():
        # Python warns of an unknown escape, and keeps it as the LMS sent it.
        warnings.simplefilter("ignore")
        return {text: _dict_of(text) for text in texts}


def _dict_of(text: str) -> dict[object, object] | None:
    if len(text) > LONGEST:
        return None
    # Nearly every text is plain. This takes a tenth of the parser's time.
    if plain := PLAIN_DICT.fullmatch(text):
        return {
            key: None if value == "None" else value[1:-1]
            for key, value in zip(KEYS, plain.groups(), strict=True)
            if value
        }
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
