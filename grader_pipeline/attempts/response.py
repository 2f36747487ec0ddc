"""A response, cut into its elements without building them.

The API answers one flat JSON list. Only its syntax is read here, a few megabytes at a time, so
that a day of any size fits in memory and one odd element costs that element only: each is handed
on as the bytes that were received.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, Protocol

import msgspec
import pyarrow as pa

CHUNK = 4 * 1024 * 1024
LONGEST_ELEMENT = 64 * 1024 * 1024

Element = msgspec.Raw | bytes
"""One element of the list, as received."""

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_COMMA_BEHIND_OBJECT = re.compile(rb"}\s*,")
_COMMA = re.compile(rb",")
_BLANK = b" \t\r\n"
_BETWEEN = _BLANK + b","
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TAIL = 64 * 1024
_GUESSES = 8

# What Python's json writes and a strict parser refuses: halves of surrogate pairs, and numbers
# that are none. They are covered, at equal length, while the list is cut; what they mean is
# decided where the element is decoded.
_ODDITIES = (
    (rb"\ud", rb"\u0"),
    (rb"\uD", rb"\u0"),
    (b"NaN", b"1e1"),
    (b"Infinity", b"10000000"),
)


class Body(Protocol):
    """What a response is read from."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


class NotAListError(ValueError):
    """The body is no JSON list in UTF-8. The text says what is wrong: "… is not UTF-8"."""


class BrokenListError(NotAListError):
    """The body begins as a list and does not end as one: cut short, or garbled on the way."""


@contextmanager
def unpacked(file: BinaryIO) -> Iterator[BinaryIO]:
    """The body in a stored response, unpacked while it is read; closes ``file``."""
    with file, pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd") as body:
        yield body


def count(body: Body) -> int:
    """How many elements the list in ``body`` has. Raises NotAListError, BrokenListError."""
    return sum(len(part.elements) for part in _parts(body))


def batches(body: Body, size: int) -> Iterator[list[Element]]:
    """The elements of the list in ``body``, in order, at least ``size`` of them at a time.

    Only the last batch may be smaller. Raises NotAListError, BrokenListError.
    """
    batch: list[Element] = []
    for part in _parts(body):
        batch += _uncovered(part) if part.is_covered else part.elements
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


class _Part(NamedTuple):
    """Some elements of the list, as the parser saw them: perhaps with oddities covered."""

    text: bytes
    elements: list[msgspec.Raw]
    is_covered: bool


def _parts(body: Body) -> Iterator[_Part]:
    rest = body.read(len(_BYTE_ORDER_MARK)).removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
    while not rest and (chunk := body.read(CHUNK)):
        rest = chunk.lstrip(_BLANK)
    if not rest:
        raise BrokenListError("is empty")
    if not rest.startswith(b"["):
        raise NotAListError("is not a JSON list")
    # From here on ``rest`` begins where an element may begin: behind "[" or behind a comma.
    rest = rest[1:]
    passed = 0
    while chunk := body.read(CHUNK):
        rest += chunk
        found = _split_before_last_comma(rest)
        if found is not None:
            part, end = found
            yield part
            rest = rest[end:]
            passed += end
        elif len(rest) > LONGEST_ELEMENT:
            raise BrokenListError(f"is not valid JSON somewhere after byte {passed}")
    if passed and not rest.strip(_BLANK + b"]"):
        raise BrokenListError("ends behind a comma")
    try:
        yield _elements(rest)
    except (msgspec.DecodeError, RecursionError) as error:
        if not rest.rstrip(_BLANK).endswith(b"]"):
            raise BrokenListError("breaks off before the list ends") from None
        raise BrokenListError(f"is not valid JSON after byte {passed}: {error}") from None


def _split_before_last_comma(text: bytes) -> tuple[_Part, int] | None:
    """The elements before one of the last commas that stand between two, and where it ends.

    A comma is guessed and then proven by the parser: where it stands inside a string or a nested
    value, what comes before it is no list. Behind an object is the likeliest place.
    """
    tail = max(0, len(text) - _TAIL)
    for comma in (_COMMA_BEHIND_OBJECT, _COMMA):
        guesses = [match.end() for match in comma.finditer(text, tail)]
        for end in reversed(guesses[-_GUESSES:]):
            try:
                part = _elements(text[: end - 1] + b"]")
            except (msgspec.DecodeError, RecursionError):
                continue
            if part.elements:
                return part, end
    return None


def _elements(text: bytes) -> _Part:
    """The elements of a list whose opening bracket is left out."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data":
                raise BrokenListError("breaks off inside a character") from None
            raise NotAListError("is not UTF-8") from None
    covered = text
    for oddity, cover in _ODDITIES:
        covered = covered.replace(oddity, cover)
    return _Part(text, _split(b"[" + covered), is_covered=covered != text)


def _uncovered(part: _Part) -> Iterator[bytes]:
    """The slices of the part's text that lie where its elements lie."""
    text, at = part.text, 0
    for element in part.elements:
        while text[at] in _BETWEEN:
            at += 1
        end = at + len(memoryview(element))
        yield text[at:end]
        at = end
