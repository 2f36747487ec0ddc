"""Forgotten learners: which elements are theirs, and answers without these elements.

An element is a learner's if ``lti_user_id`` is their id, or if a text of the element has the id in
it where it is no part of a word. Texts are read as JSON, Python's dict and percent-encoding write
them. An id of fewer than ``SHORTEST`` characters is looked for as a whole text only: it would be in
texts of others too.

Ids are compared by a keyed hash. So the ids need not be known, and the same rule takes an element
out of a stored answer and out of one that the API sends again.
"""

import hashlib
import hmac
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

import msgspec
import pyarrow as pa

from grader_pipeline.attempts import passback
from grader_pipeline.attempts.response import Element, batches

FORGOTTEN = b'{"forgotten": true}'
"""An answer has this in place of a forgotten learner's element."""

SHORTEST = 8
"""Characters of the shortest id that is looked for within a text."""

_BATCH = 10_000
_KNOWN_TEXTS = 100_000
_DEEPEST = 4
_USER = "lti_user_id"
# Between two characters that are not both letters or digits.
_BOUNDARY = re.compile(r"(?<![^\W_])|(?![^\W_])")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def hashed(key: str, learner: str) -> bytes:
    """The keyed hash of a learner's id."""
    return hmac.digest(key.encode(), learner.encode(errors="surrogatepass"), hashlib.sha256)


class ForgottenLearners:
    """The list of forgotten learners: the length and the keyed hash of each id."""

    def __init__(self, key: str, learners: Iterable[tuple[int, bytes]]) -> None:
        self._key = key
        self._hashes: dict[int, set[bytes]] = defaultdict(set)
        for length, found in learners:
            self._hashes[length].add(found)
        self._shortest = min(self._hashes, default=0)
        self._known: dict[tuple[str, int], bool] = {}

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def owns(self, element: Element) -> bool:
        """Whether the element is a forgotten learner's."""
        try:
            value = msgspec.json.decode(element)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            try:
                value = json.loads(bytes(element))
            except (ValueError, RecursionError):
                return self.names(bytes(element).decode(errors="replace"))
        user = value.get(_USER) if isinstance(value, dict) else None
        if type(user) is int and self.names(str(user)):
            return True
        return any(map(self.names, _texts(value)))

    def names(self, text: str, depth: int = 0) -> bool:
        """Whether the text, or a text that it writes, has the id of a forgotten learner."""
        # No text that it writes is longer.
        if len(text) < self._shortest:
            return False
        known = self._known.get((text, depth))
        if known is None:
            value = _value(text) if depth < _DEEPEST and text[:1] in {"{", "["} else None
            if value is not None:
                known = any(self.names(inner, depth + 1) for inner in _texts(value))
            else:
                known = self._has_id(text) or (
                    depth < _DEEPEST
                    and any(self.names(plain, depth + 1) for plain in _readings(text))
                )
            if len(self._known) >= _KNOWN_TEXTS:
                self._known.clear()
            self._known[text, depth] = known
        return known

    def _has_id(self, text: str) -> bool:
        if self._is_id(text):
            return True
        lengths = [n for n in self._hashes if SHORTEST <= n < len(text)]
        if not lengths:
            return False
        bounds = {match.start() for match in _BOUNDARY.finditer(text)}
        return any(
            self._is_id(text[start : start + length])
            for length in lengths
            for start in bounds
            if start + length in bounds
        )

    def _is_id(self, text: str) -> bool:
        hashes = self._hashes.get(len(text))
        return hashes is not None and hashed(self._key, text) in hashes


@dataclass(frozen=True)
class Scrubbed:
    """An answer without the elements of forgotten learners.

    ``size`` (bytes) and ``sha256`` are those of the unpacked answer.
    """

    before: str
    """The hash of the answer as it was."""
    sha256: str
    size: int
    places: frozenset[int]
    """The positions of all elements that stand for forgotten ones."""
    new: int
    """So many of them were replaced now."""


def scrub(body: BinaryIO, file: Path, forgotten: ForgottenLearners) -> Scrubbed:
    """Write the answer ``body`` to the packed ``file``, with FORGOTTEN in place of their elements.

    Each other element is as it was, byte for byte. Between elements is a comma and a blank. Raises
    NotAListError.
    """
    before, digest = hashlib.sha256(), hashlib.sha256()
    size = position = new = 0
    places: list[int] = []
    with pa.CompressedOutputStream(str(file), "zstd") as out:

        def write(piece: bytes) -> None:
            nonlocal size
            digest.update(piece)
            size += len(piece)
            out.write(piece)

        write(b"[")
        for batch in batches(body, _BATCH, before.update):
            kept = []
            for element in batch:
                text = bytes(element)
                if text == FORGOTTEN:
                    places.append(position)
                elif forgotten.owns(element):
                    places.append(position)
                    text = FORGOTTEN
                    new += 1
                kept.append(text)
                position += 1
            write((b", " if position > len(kept) else b"") + b", ".join(kept))
        write(b"]")
    return Scrubbed(before.hexdigest(), digest.hexdigest(), size, frozenset(places), new)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any value of JSON or of Python's literals
    """Every text in a value, keys included."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case bytes() as raw:
                yield raw.decode(errors="replace")
            case dict() as found:
                waiting += [*found, *found.values()]
            case list() | tuple() | set() | frozenset() as found:
                waiting += found


def _readings(text: str) -> Iterator[str]:
    """What a text is without percent-encoding, and without escapes."""
    if "%" in text and (plain := unquote(text)) != text:
        yield plain
    if "\\" in text and (plain := _ESCAPE.sub(r"\1", text)) != text:
        yield plain


def _value(text: str) -> object:
    """The value that a text of JSON or of Python's dict writes; None if it writes none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return passback.decode([text])[text]
