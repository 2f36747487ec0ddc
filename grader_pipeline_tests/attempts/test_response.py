"""An answer is cut into exactly its elements, wherever reads end."""

import hashlib
import io
import json

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader_pipeline.attempts import response
from grader_pipeline.attempts.response import (
    BrokenListError,
    NotAListError,
    Splitter,
    unpacked,
    unpacked_sha256,
)

blanks = st.text(" \t\r\n", max_size=3)
characters = st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters='"\\')
pieces = st.sampled_from(
    [
        *("}, {", "}  ,", "],[", ",", "[", "]", "{", "}", ":", "'", "NaN", "-Infinity", "null"),
        *(r"\"", r"\\", r"\/", r"\n", r"\u0000", r"\ud800", r"\uDFFF", r"\ud83d\ude00", r"\\ud800"),
    ]
)
strings = st.lists(pieces | characters, max_size=8).map(lambda parts: f'"{"".join(parts)}"')
numbers = st.sampled_from(
    ["0", "-0", "1", "-17", "1.50", "1e3", "1E+3", "-2.5e-7", "1e999", "9" * 40]
)
odd_numbers = st.sampled_from(["NaN", "Infinity", "-Infinity"])
words = st.sampled_from(["null", "true", "false"])


def _joined(opening: str, closing: str):
    def join(drawn):
        parts, blank = drawn
        return opening + blank + f"{blank},{blank}".join(parts) + blank + closing

    return join


def _nested(inner):
    pair = st.tuples(strings, blanks, inner).map(lambda p: f"{p[0]}{p[1]}:{p[1]}{p[2]}")
    lists = st.tuples(st.lists(inner, max_size=4), blanks).map(_joined("[", "]"))
    objects = st.tuples(st.lists(pair, max_size=4), blanks).map(_joined("{", "}"))
    return lists | objects


plain_elements = st.recursive(strings | numbers | words, _nested, max_leaves=10)
elements = st.recursive(strings | numbers | odd_numbers | words, _nested, max_leaves=10)


@st.composite
def bodies(draw, of=elements):
    """Sources of elements, and a list of them with blanks anywhere JSON allows."""
    sources = draw(st.lists(of, max_size=8))
    spaced = [draw(blanks) + source + draw(blanks) for source in sources]
    inside = ",".join(spaced) if spaced else draw(blanks)
    return sources, draw(blanks) + "[" + inside + "]" + draw(blanks)


def _elements(body: bytes, chunk: int = 16) -> list[bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(response, "CHUNK", chunk)
        return [bytes(e) for part in response.batches(io.BytesIO(body), 1, len) for e in part]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(bodies(), st.integers(1, 64))
@example((['"}, {"', '"},"', '{"a": "],["}'], '["}, {","},",{"a": "],["}]'), 1)
@example((["NaN", r'"\ud800, NaN"', "[-Infinity ]"], r'[NaN,"\ud800, NaN" , [-Infinity ]]'), 1)
def test_the_elements_are_those_of_a_parser_as_exact_slices(body, chunk):
    sources, text = body
    found = _elements(text.encode(), chunk)
    assert found == [source.encode() for source in sources]
    assert repr([json.loads(element) for element in found]) == repr(json.loads(text))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(bodies(plain_elements), st.integers(1, 64), st.data())
def test_a_damaged_list_is_refused_exactly_when_a_parser_refuses_it(body, chunk, data):
    _, text = body
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(len(text), at + 2)))
    damaged = text[:at] + data.draw(st.text('[]{},:"\\ 1', max_size=2)) + text[end:]
    try:
        value = json.loads(damaged)
    except ValueError:
        value = None
    if isinstance(value, list):
        found = [json.loads(element) for element in _elements(damaged.encode(), chunk)]
        assert repr(found) == repr(value)
    else:
        with pytest.raises(NotAListError):
            _elements(damaged.encode(), chunk)


nests = st.sampled_from([("[", "]"), ('{"a": ', "}"), ('[{"}": "[", "b":', "}]")])
deep_elements = st.tuples(nests, st.integers(1, 4000), strings | odd_numbers).map(
    lambda drawn: drawn[0][0] * drawn[1] + drawn[2] + drawn[0][1] * drawn[1]
)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(bodies(elements | deep_elements), st.integers(1, 64), st.data())
def test_depth_changes_no_element_and_a_cut_list_is_still_refused(body, chunk, data):
    sources, text = body
    assert _elements(text.encode(), chunk * 64) == [source.encode() for source in sources]
    cut = text[: data.draw(st.integers(0, text.rindex("]") - 1))]
    with pytest.raises(BrokenListError):
        _elements(cut.encode(), chunk * 64)


@pytest.mark.parametrize("damage", [b"[" * 3000, b"[" * 3000 + b"}" * 3000, b"[" * 3000 + b"]"])
def test_brackets_that_do_not_pair_are_no_deep_element(damage):
    with pytest.raises(BrokenListError):
        _elements(b'[{"a": 1}, ' + damage + b', {"a": 2}]', 50_000)


WHOLE = '[{"a": "é}, {", "b": [1, {"c": null}]} , NaN, "\\ud800", [], "😀", -0]'.encode()


@pytest.mark.parametrize("chunk", [1, 5, 32, 1024])
def test_a_list_cut_at_any_byte_has_broken_off(chunk):
    assert len(_elements(WHOLE, chunk)) == 6
    for length in range(1, len(WHOLE)):
        with pytest.raises(BrokenListError, match=r"breaks off|ends behind a comma|truncated"):
            _elements(WHOLE[:length], chunk)


@pytest.mark.parametrize("chunk", [1, 3, 1024])
@pytest.mark.parametrize(
    "body",
    [
        b"[1, 2",
        b"[1,]",
        b"[1, ]",
        b"[,1]",
        b"[,]",
        b"[1,,2]",
        b"[1 2]",
        b'[{"a": 1} {"a": 2}]',
        b'[{"a": 1}]]',
        b"[1][2]",
        b"[1], [2]",
        b"[1]\n[2]\n",
        b"[1] x",
        b"[1]\x00",
        b"[01]",
        b"[1.]",
        b"['a']",
        b"[None]",
        b'["a\nb"]',
        b'["\x00"]',
        b'["\\x41"]',
        b'["\\u12"]',
        b"[" * 100_000,
    ],
)
def test_a_garbled_list_is_broken(body, chunk):
    if len(body) > 1000 and chunk < 1000:
        chunk = 50_000
    with pytest.raises(BrokenListError):
        _elements(body, chunk)


@pytest.mark.parametrize("chunk", [1, 1024])
@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", b'{"errors": {}}', b"<html>[]</html>", b"null", b'"[]"', b"]"),
        *(b"\x1f\x8b\x08", "[1]".encode("utf-16"), "[1]".encode("utf-16-be")),
    ],
)
def test_what_is_no_list_is_refused_as_such(body, chunk):
    with pytest.raises(NotAListError, match="is not a JSON list") as refused:
        _elements(body, chunk)
    assert not isinstance(refused.value, BrokenListError)


@pytest.mark.parametrize("chunk", [1, 1024])
@pytest.mark.parametrize("body", [b"", b"  \r\n  ", b"\xef\xbb\xbf", b"\xef\xbb\xbf  "])
def test_an_empty_body_is_a_list_that_did_not_arrive(body, chunk):
    with pytest.raises(BrokenListError, match="is empty"):
        _elements(body, chunk)


@pytest.mark.parametrize("chunk", [1, 1024])
def test_another_encoding_is_refused_as_such(chunk):
    with pytest.raises(NotAListError, match="is not UTF-8") as refused:
        _elements('["Привет"]'.encode("cp1251"), chunk)
    assert not isinstance(refused.value, BrokenListError)


@pytest.mark.parametrize("chunk", [1, 2, 1024])
@pytest.mark.parametrize(
    "body", [b"[]", b"[ \n]", b" \r\n\t[]\n", b"\xef\xbb\xbf[]", b"\xef\xbb\xbf []"]
)
def test_an_empty_list_has_no_elements(body, chunk):
    assert _elements(body, chunk) == []


def test_a_byte_order_mark_is_no_part_of_the_list():
    assert _elements(b"\xef\xbb\xbf[1, 2]", chunk=1) == [b"1", b"2"]


def test_batches_are_full_but_for_the_last(monkeypatch):
    monkeypatch.setattr(response, "CHUNK", 10)
    body = json.dumps([{"n": n} for n in range(100)]).encode()
    batches = list(response.batches(io.BytesIO(body), 7, len))
    assert [bytes(e) for b in batches for e in b] == [b'{"n": %d}' % n for n in range(100)]
    assert all(len(batch) >= 7 for batch in batches[:-1])
    assert len(batches) > 5


def test_a_comma_inside_an_element_does_not_keep_back_those_before_it(monkeypatch):
    monkeypatch.setattr(response, "CHUNK", 1)
    for text, found in (
        (b'[1, {"a": 2}, "}, b', [b"1", b'{"a": 2}']),
        (b'[1, 2, "a, b', [b"1", b"2"]),
        (b'[1, 22, "' + b"x" * 60_000, [b"1", b"22"]),
    ):
        assert [bytes(e) for elements in Splitter().feed(text) for e in elements] == found


def test_a_body_is_read_in_pieces_much_smaller_than_itself():
    body = json.dumps(["x" * 1_000] * 20_000).encode()
    sizes = []
    found = [e for b in response.batches(io.BytesIO(body), 1, lambda p: sizes.append(len(p)))
             for e in b]  # fmt: skip
    assert len(found) == 20_000
    assert sum(sizes) == len(body)
    assert 1_000_000 < max(sizes) < len(body) / 4


def test_an_element_of_some_megabytes_is_an_element():
    body = b'["' + b"x" * 8_000_000 + b'"]'
    ((element,),) = response.batches(io.BytesIO(body), 1, len)
    assert len(bytes(element)) == len(body) - 2


@pytest.mark.parametrize("before", [b"[1, 2,", b"[10, 2,", b"[1,", b"[10,", b'[{"a": [1, 2]},'])
def test_the_error_says_behind_which_byte_the_list_is_wrong(before):
    # Of the last comma before it.
    with pytest.raises(BrokenListError, match=f"not valid JSON after byte {len(before) - 1}:"):
        _elements(before + b" oops]", chunk=len(before) + 2)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[1, ", "ends behind a comma"),
        (b"[1, 22", "breaks off before the list ends"),
        (b'[1, "a]', "not valid JSON|breaks off"),
    ],
)
def test_a_cut_list_is_described(body, said):
    with pytest.raises(BrokenListError, match=said):
        _elements(body, chunk=1)


def test_a_long_element_is_not_parsed_at_each_of_its_commas(monkeypatch):
    parsed = []
    monkeypatch.setattr(response, "CHUNK", 2500)
    monkeypatch.setattr(response, "_elements", lambda text: parsed.append(text) or [])
    assert not any(Splitter().feed(b'[1, "' + b"}, " * 1000))
    assert len(parsed) < 50


def test_a_stored_answer_is_read_as_it_was_received_and_its_file_is_closed():
    body = json.dumps(["Привет", {"a": 1}] * 9).encode()
    packed = pa.compress(body, "zstd", asbytes=True)
    with unpacked(file := io.BytesIO(packed)) as unpacking:
        assert unpacking.read() == body
    assert file.closed
    assert unpacked_sha256(file := io.BytesIO(packed)) == hashlib.sha256(body).hexdigest()
    assert file.closed


def test_an_element_without_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(response, "CHUNK", 1000)
    monkeypatch.setattr(response, "_READ", 1000)
    monkeypatch.setattr(response, "LONGEST_ELEMENT", 10_000)
    body = io.BytesIO(b'[1, "' + b"x" * 1_000_000)
    with pytest.raises(BrokenListError, match="after byte 2"):
        list(response.batches(body, 1, len))
    assert body.tell() < 20_000
