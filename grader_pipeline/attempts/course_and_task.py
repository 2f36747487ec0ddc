"""Course and task of an attempt, read out of its lis_result_sourcedid.

The rules of the function ``course_and_task`` in sql/schema, for what is counted before the load and
for the rollup. A test compares the two on generated texts.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

UNREAD = ("не распознан", "не распознано")
"""Course and task of an attempt that has no readable ones, as the view ``attempt`` names them."""

_NO_ESCAPE = re.compile(r"%(?![2-9A-Fa-f][0-9A-Fa-f])")
_KEY = re.compile(r"(?i:((?:course|ccx|library)-v1):)([^:/]+):", re.ASCII)
_OLD_KEY = re.compile(r"([^:/]+/[^:/]+/[^:/]+):")
_LABEL = r"(?:xn--[A-Za-z0-9]+|[A-Za-z0-9_]+)"
_LAST_LABEL = "(?:xn--[A-Za-z0-9]+|[A-Za-z]{2,})"
_HEX_BLOCK = re.compile(rf"(?:[A-Za-z0-9_.-]+\.)?{_LABEL}(?::[0-9]+)?-([0-9A-Fa-f]{{32}})")
_HOSTS = [
    re.compile(r"(?:localhost|[A-Za-z0-9_]+:[0-9]+)-"),
    re.compile(rf"[A-Za-z0-9_]+(?:\.{_LABEL})+(?::[0-9]+)?-"),
    # Its first name has dashes. So has "lms-lab.1-b", which is the block lab.1-b of the host lms.
    re.compile(rf"[A-Za-z0-9_-]*[A-Za-z0-9_](?:\.{_LABEL})*\.{_LAST_LABEL}(?::[0-9]+)?-"),
    re.compile(r"[A-Za-z0-9_]+-"),
]
_NAME = re.compile(
    r"""[^\u0001-\u0020!"#$%&'()*,;<=>?\[\\\]^`{|}\u007f-\u00a0\u1680"""
    r"""\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]{1,255}"""
)
_MOODLE = re.compile(r'"instanceid" *: *"?([0-9]+)[" ,}]')
_CANVAS = re.compile(r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+){2,4}")
_SIGNATURE = re.compile(r"[0-9A-Fa-f]{32,}")
_NUMBERS = re.compile(r"[0-9]+(?:-[0-9]+)+")
_ID_LENGTH = 8
"""A learner's id is at least so long. A shorter one is part of names by chance."""
_WORD = re.compile(rf"[0-9A-Za-z]{{{_ID_LENGTH},}}")


def course_and_task(sourcedid: str, learner: str) -> tuple[str, str] | None:
    """Course and task, or None if ``sourcedid`` has no readable ones.

    ``learner`` is the attempt's user_id: no name holds it.
    """
    before = sourcedid.removesuffix(learner)
    if before.endswith(":") and before != sourcedid and learner.isalnum() and learner.isascii():
        names, text = _read_before_learner(before)
    else:
        names, text = _read(sourcedid, learner)
    return None if learner in text and len(learner) >= _ID_LENGTH else names


def courses_and_tasks(
    learners: pa.Array | pa.ChunkedArray, sourcedids: pa.Array | pa.ChunkedArray
) -> tuple[list[tuple[str, str] | None], npt.NDArray[Any]]:
    """What ``course_and_task`` reads of attempts, each once, and for each attempt its place there.

    A learner has several attempts on a task, and a task has many learners. So each pair of learner
    and sourcedid is looked at once, by Arrow, and what is before the learner's id is read once.
    """
    learner, sourcedid, places = _pairs(learners, sourcedids)
    before = pc.list_element(pc.split_pattern(sourcedid, ":", max_splits=1, reverse=True), 0)
    is_before_learner = pc.and_(
        pc.equal(pc.binary_join_element_wise(before, learner, ":"), sourcedid),
        pc.ascii_is_alnum(learner),
    )
    is_usual = pc.fill_null(is_before_learner, False)
    befores = before.filter(is_usual).dictionary_encode()
    read = [_read_before_learner(f"{text}:") for text in befores.dictionary.to_pylist()]
    named = _ids_in((text for _, text in read), learner.unique())
    found: dict[tuple[str, str] | None, int] = {}
    of_before = [
        -1 if named and any(one in text for one in named) else found.setdefault(names, len(found))
        for names, text in read
    ]
    numbers = np.full(len(learner), -1)
    numbers[is_usual.to_numpy(zero_copy_only=False)] = np.array(of_before, "i8")[befores.indices]
    others = np.flatnonzero(numbers < 0)
    texts = (column.take(pa.array(others)).to_pylist() for column in (sourcedid, learner))
    numbers[others] = [
        found.setdefault(course_and_task(text or "", who or ""), len(found))
        for text, who in zip(*texts, strict=True)
    ]
    return [*found], numbers[places]


def _ids_in(texts: Iterable[str], learners: pa.Array) -> set[str]:
    """The ids of letters and digits that are in a text, but for short ones."""
    lengths = pc.binary_length(learners).unique().drop_null().to_pylist()
    parts = {
        word[start : start + length]
        for word in {*chain.from_iterable(map(_words, texts))}
        for length in lengths
        if length >= _ID_LENGTH
        for start in range(len(word) - length + 1)
    }
    return parts.intersection(learners.to_pylist())


@lru_cache(maxsize=10_000)
def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _pairs(
    learners: pa.Array | pa.ChunkedArray, sourcedids: pa.Array | pa.ChunkedArray
) -> tuple[pa.Array, pa.Array, npt.NDArray[Any]]:
    """Learners and sourcedids of each pair of them, and for each attempt the place of its pair."""
    learner, sourcedid = map(_distinct, (learners, sourcedids))
    width = max(len(sourcedid.dictionary), 1)
    both = learner.indices.to_numpy().astype("i8") * width + sourcedid.indices.to_numpy()
    found = pa.array(both).dictionary_encode()
    distinct = found.dictionary.to_numpy()
    return (
        learner.dictionary.take(pa.array(distinct // width)),
        sourcedid.dictionary.take(pa.array(distinct % width)),
        found.indices.to_numpy(),
    )


def _distinct(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as a dictionary, in which null is a value."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(array.type):
        return array.dictionary_encode(null_encoding="encode")
    values = pa.concat_arrays([array.dictionary, pa.nulls(1, pa.string())])
    numbers = array.indices.fill_null(len(array.dictionary))
    return pa.DictionaryArray.from_arrays(numbers, values)


def _read(sourcedid: str, learner: str) -> tuple[tuple[str, str] | None, str]:
    """Course and task, if they can be read, and the text of both."""
    plain = _decoded(sourcedid) if "%" in sourcedid else sourcedid
    if plain is None:
        return None, ""
    if plain.startswith("{"):
        instance = _MOODLE.search(plain)
        course, task = "Moodle", instance[1] if instance else ""
    elif _CANVAS.fullmatch(plain):
        course, task = _canvas(plain.split("-"), learner)
    else:
        course, task = _open_edx(plain)
    if not (_NAME.fullmatch(course.replace("Canvas ", "")) and _NAME.fullmatch(task)):
        return None, ""
    return (course, task), f"{course} {task}"


@lru_cache(maxsize=10_000)
def _read_before_learner(text: str) -> tuple[tuple[str, str] | None, str]:
    """The same for all learners of a task: nothing is read out of what follows the last colon."""
    return _read(text, "")


def _decoded(text: str) -> str | None:
    try:
        return None if _NO_ESCAPE.search(text) else unquote(text, errors="strict")
    except UnicodeDecodeError:
        return None


def _open_edx(plain: str) -> tuple[str, str]:
    if key := _KEY.match(plain):
        course = f"{key[1].lower()}:{key[2]}"
    elif key := _OLD_KEY.match(plain):
        course = key[1]
    else:
        return "", ""
    link = plain[key.end() :].rpartition(":")[0]
    if block := _HEX_BLOCK.fullmatch(link):
        return course, block[1]
    host = next((found for pattern in _HOSTS if (found := pattern.match(link))), None)
    return course, link[host.end() :] if host else ""


def _canvas(parts: list[str], learner: str) -> tuple[str, str]:
    if parts[-1] != learner and _SIGNATURE.fullmatch(parts[-1]):
        del parts[-1]
    if learner in parts and len(learner) >= _ID_LENGTH:
        parts = [part for part in parts if part != learner]
    elif len(parts) == 4:  # noqa: PLR2004
        del parts[3]
    else:
        return "", ""
    task = "-".join(parts)
    if not _NUMBERS.fullmatch(task):
        return "", ""
    return f"Canvas {parts[1]}" if len(parts) == 3 else "Canvas", task  # noqa: PLR2004
