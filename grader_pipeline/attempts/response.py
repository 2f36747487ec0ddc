"""An answer, cut into its elements without building them.

The API answers one flat JSON list. Only its syntax is read here, in small chunks. So a day of any
size fits in memory, and an odd element harms no other. Elements are the bytes that were received.
"""

import hashlib
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import product
from typing import BinaryIO

import msgspec
import pyarrow as pa

from grader_pipeline.in_thread import read_ahead

CHUNK = 64 * 1024
"""Bytes cut at once. Few, because one odd element makes its whole chunk slower."""

# Bytes that are unpacked and hashed at once, in a thread, and packed ones that are read for it.
_READ, _PACKED = 4 * 1024 * 1024, 1024 * 1024

LONGEST_ELEMENT = 64 * 1024 * 1024

Element = msgspec.Raw | bytes
"""One element of the list, as received."""

_split: Callable[[bytes], list[Element]] = msgspec.json.Decoder(list[msgspec.Raw]).decode  # type: ignore[assignment]
_COMMAS = (re.compile(rb"}\s*,"), re.compile(rb","))
_BLANK = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Where the last comma is looked for. Nearly all elements are shorter than the first.
_TAILS = (1024, 64 * 1024)
_GUESSES = 8

# What Python's json writes and a strict parser refuses: halves of surrogate pairs, NaN, Infinity.
# If the parser refuses a list, a copy of equal length without them is cut instead. Decoding decides
# what they mean.
_COVERS = {rb"\ud": rb"\u0", rb"\uD": rb"\u0", b"NaN": b"1e1", b"Infinity": b"10000000"}

# The parser reads no value that is nested deeper than Python's stack allows. Then a copy of equal
# length is cut, in which a value deeper than this is a plain text. What is inside it is not parsed.
_DEEPEST = 50
_BRACKETS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|([\[\]{}])', re.DOTALL)
_CLOSING = {b"[": b"]", b"{": b"}"}


class NotAListError(ValueError):
    """The answer is no JSON list in UTF-8. The text says what is wrong: "… is not UTF-8"."""


class BrokenListError(NotAListError):
    """The answer begins as a list and does not end as one: it is cut short or damaged."""


@contextmanager
def unpacked(file: BinaryIO) -> Iterator[BinaryIO]:
    """The stored answer, unpacked while it is read; closes ``file``."""
    packed = pa.BufferedInputStream(pa.PythonFile(file, "r"), _PACKED)
    with file, pa.CompressedInputStream(packed, "zstd") as body:
        yield body


def unpacked_sha256(file: BinaryIO) -> str:
    """The hash of a stored answer as it was received; closes ``file``."""
    with unpacked(file) as body:
        return hashlib.file_digest(body, "sha256").hexdigest()  # type: ignore[arg-type]


class Splitter:
    """Cuts a list that comes in pieces into its elements. Raises as soon as the list is wrong."""

    def __init__(self) -> None:
        self._has_begun = False
        # Once the list has begun, ``_rest`` is "[" and then the bytes from the next element on.
        self._rest = b""
        self._passed = 0
        self._waiting: list[memoryview] = []

    def feed(self, piece: bytes | memoryview) -> Iterator[list[Element]]:
        """The elements that end in ``piece``, chunk by chunk, often none.

        Raises NotAListError, BrokenListError.
        """
        for start in range(0, len(piece), CHUNK):
            yield self._cut(memoryview(piece)[start : start + CHUNK])

    def _cut(self, chunk: memoryview) -> list[Element]:
        self._waiting.append(chunk)
        # A long element is parsed again when it has doubled, not with every piece of it.
        waiting = sum(map(len, self._waiting))
        if waiting < max(CHUNK, len(self._rest), len(_BYTE_ORDER_MARK)):
            return []
        self._join()
        found = _split_before_last_comma(self._rest) if self._has_begun else None
        if found is None:
            if len(self._rest) > LONGEST_ELEMENT:
                raise BrokenListError(f"is not valid JSON somewhere after byte {self._passed}")
            return []
        elements, end = found
        self._rest = b"[" + self._rest[end:]
        self._passed += end - 1
        return elements

    def end(self) -> list[Element]:
        """The last elements, after the last piece. Raises NotAListError, BrokenListError."""
        self._join()
        if not self._has_begun:
            raise BrokenListError("is empty")
        if self._passed and not self._rest[1:].strip(_BLANK + b"]"):
            raise BrokenListError("ends behind a comma")
        try:
            return _elements(self._rest)
        except (msgspec.DecodeError, RecursionError) as error:
            if not self._rest.rstrip(_BLANK).endswith(b"]"):
                raise BrokenListError("breaks off before the list ends") from None
            raise BrokenListError(f"is not valid JSON after byte {self._passed}: {error}") from None

    def _join(self) -> None:
        self._rest = b"".join((self._rest, *self._waiting))
        self._waiting.clear()
        if self._has_begun:
            return
        opening = self._rest.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
        if opening and not opening.startswith(b"["):
            raise NotAListError("is not a JSON list")
        self._has_begun = bool(opening)
        # One blank for all of them. A byte order mark after it is then not at the beginning.
        self._rest = opening or b" "


def batches(body: BinaryIO, size: int, take: Callable[[bytes], object]) -> Iterator[list[Element]]:
    """The elements of the list in ``body``, in order, at least ``size`` of them at a time.

    Only the last batch may be smaller. ``take`` gets each piece of the body, to hash it for
    example. A thread reads and calls it. Raises NotAListError, BrokenListError.
    """
    splitter = Splitter()
    batch: list[Element] = []
    with read_ahead(_pieces(body, take)) as pieces:
        for piece in pieces:
            for elements in splitter.feed(piece):
                batch += elements
                if len(batch) >= size:
                    yield batch
                    batch = []
    batch += splitter.end()
    if batch:
        yield batch


def _pieces(body: BinaryIO, take: Callable[[bytes], object]) -> Generator[bytes, None, None]:
    while piece := body.read(_READ):
        take(piece)
        yield piece


def _split_before_last_comma(text: bytes) -> tuple[list[Element], int] | None:
    """The elements before one of the last commas between two elements, and where that comma ends.

    The parser tests each guess: before a comma inside a string or a nested value there is no list.
    Commas after an object are tried first.
    """
    for comma, tail in product(_COMMAS, _TAILS):
        guesses = [match.end() for match in comma.finditer(text, max(0, len(text) - tail))]
        for end in reversed(guesses[-_GUESSES:]):
            try:
                elements = _elements(b"".join((memoryview(text)[: end - 1], b"]")))
            except (msgspec.DecodeError, RecursionError):
                continue
            if elements:
                return elements, end
    return None


def _elements(text: bytes) -> list[Element]:
    """The elements of a whole list."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                raise BrokenListError("breaks off inside a character") from None
            raise NotAListError("is not UTF-8") from None
    covered = text
    while True:
        try:
            elements = _split(covered)
        except (msgspec.DecodeError, RecursionError) as error:
            cover = _without_depth if isinstance(error, RecursionError) else _without_oddities
            before, covered = covered, cover(covered)
            if covered == before:
                raise
        else:
            return elements if covered is text else list(_uncovered(text, elements))


def _without_oddities(text: bytes) -> bytes:
    """A copy of equal length without one kind of what Python writes and the parser refuses."""
    for oddity, cover in _COVERS.items():
        if oddity in text:
            return text.replace(oddity, cover)
    return text


def _without_depth(text: bytes) -> bytes:
    """A copy of equal length with a text in place of each value nested deeper than _DEEPEST.

    A value that does not end stays. If brackets do not pair, the copy is the text.
    """
    covered = bytearray(text)
    ends: list[bytes] = []
    start = 0
    for match in _BRACKETS.finditer(text):
        bracket = match[1]
        if bracket in _CLOSING:
            ends.append(_CLOSING[bracket])
            if len(ends) == _DEEPEST:
                start = match.start()
        elif bracket:
            if not ends or ends.pop() != bracket:
                return text
            if len(ends) == _DEEPEST - 1:
                covered[start : match.end()] = b'"%s"' % (b"-" * (match.end() - start - 2))
    return bytes(covered)


def _uncovered(text: bytes, elements: list[Element]) -> Iterator[bytes]:
    """The slices of ``text`` at the places of ``elements``, which are cut from the covered copy."""
    at = 1
    for element in elements:
        while text[at] in b", \t\r\n":
            at += 1
        end = at + len(memoryview(element))
        yield text[at:end]
        at = end
