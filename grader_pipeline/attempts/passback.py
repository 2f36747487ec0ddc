"""``passback_params``: the text of a Python dict, as the LMS handed it to the grader.

It is not JSON: values have apostrophes, double quotes or None. Only Python's own grammar reads
every text.
"""

import ast
import warnings
from collections.abc import Iterable

LONGEST = 64 * 1024
"""Characters. A longer text is refused unread, because the parser's memory grows with it."""


def decode(texts: Iterable[str]) -> dict[str, dict[object, object] | None]:
    """The dict that each of ``texts`` is; None for a text that is not one Python dict."""
    with warnings.catch_warnings():
        # Python warns of an unknown escape, and keeps it as the LMS sent it.
        warnings.simplefilter("ignore")
        return {text: _dict_of(text) for text in texts}


def _dict_of(text: str) -> dict[object, object] | None:
    if len(text) > LONGEST:
        return None
    # Python itself has written nearly every text. If it writes the guess as the same text, the
    # guess is what it would read. This takes a sixth of the parser's time.
    pairs = (pair.partition("': '") for pair in text[2:-2].split("', '"))
    guess: dict[object, object] = {name: value for name, _, value in pairs}
    if repr(guess) == text:
        return guess
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
