"""``passback_params``: the text of a Python dict, as the LMS handed it to the grader.

It is not JSON: values have apostrophes, double quotes or None. Only Python's own grammar reads
every text.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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


# Of an Arrow text, which has no half of a pair.
_OTHER_CHARACTER = r"[\\\r\n\x00]"


def usual(texts: pa.StringArray) -> Iterator[tuple[npt.NDArray[np.int_], list[pa.Array]]]:
    """The texts with the first of ``KEYS``, one or more, and a plain value in single quotes each.

    For each number of keys: the places of these texts, and the values, an array a key. They are
    what ``decode`` reads. Arrow reads many texts at once, without Python's lock.
    """
    parts = pc.split_pattern(texts, "'")
    is_plain = pc.and_not(
        pc.less_equal(pc.binary_length(texts), LONGEST),
        pc.match_substring_regex(texts, _OTHER_CHARACTER),
    )
    between: list[str | None] = ["{"]
    for key in KEYS:
        # After the quotes of a value comes the next key, or the end.
        words = [*between, key, ": ", None, "}"]
        between = [*words[:-1], ", "]
        fits = pc.and_(is_plain, pc.equal(pc.list_value_length(parts), len(words)))
        places = np.flatnonzero(fits)
        found = parts.take(pa.array(places)).flatten()
        is_usual, values = np.ones(len(places), bool), []
        for at, word in enumerate(words):
            part = found.take(pa.array(np.arange(at, len(found), len(words))))
            if word is None:
                values.append(part)
            else:
                is_usual &= pc.equal(part, word).to_numpy(zero_copy_only=False)
        yield places[is_usual], [value.filter(pa.array(is_usual)) for value in values]


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
