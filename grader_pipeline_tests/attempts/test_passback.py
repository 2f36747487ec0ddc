"""The Python text inside an element is read as Python reads it; no text does harm."""

import ast
import sys
import warnings
from itertools import product

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader_pipeline.attempts import passback

texts = st.text(max_size=20)
literals = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.dictionaries(texts, literals, max_size=5))
def test_a_dict_comes_back_from_its_text(value):
    text = repr(value)
    readable = "\0" not in text
    assert passback.decode([text]) == {text: value if readable else None}


tokens = st.lists(
    st.sampled_from(
        ["'", '"', ": ", ", ", "\\", "\\n", "None", "b", "a", "\n", "\xa0", "'a': 'b'"]
    ),
    max_size=4,
).map("".join)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(
    st.dictionaries(st.sampled_from([*passback.KEYS, "a"]), st.none() | tokens | texts, max_size=4),
    tokens,
    st.integers(0),
)
def test_a_text_written_in_nearly_python_s_way_reads_as_its_parser_reads_it(value, token, place):
    text = repr(value)
    at = place % (len(text) + 1)
    damaged = text[:at] + token + text[at + place % 3 :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed = ast.literal_eval(damaged)
        except (ValueError, SyntaxError, TypeError):
            parsed = None
    expected = parsed if isinstance(parsed, dict) else None
    found = passback.decode([damaged])[damaged]
    assert repr(found) == repr(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "None",
        "[]",
        "'text'",
        "b'{}'",
        "{1, 2}",
        "set()",
        "{[]: 1}",
        "{{}: 1}",
        "{{1}}",
        "{'a': }",
        "{'a': 1",
        "{'a': 1}}",
        "{'a': 1}; {}",
        "{}\n{}",
        "{'a': null}",
        "{'a': true}",
        "{'a': 1 + 1}",
        "{'a': f'{1}'}",
        "{'a': __import__('os').getcwd()}",
        "{**{}}",
        "{a: 1 for a in ()}",
        "dict(a=1)",
        "{'a': 'b\nc'}",
        r"{'a': '\x0'}",
        r"{'a': '\N{NO SUCH LETTER}'}",
        "{'a': '\0'}",
        "{'a': '\ud800'}",
        "{'a': 09}",
        "# -*- coding: rot13 -*-\n{'a': 1",
    ],
)
def test_what_is_not_one_dict_reads_as_none(text):
    assert passback.decode([text]) == {text: None}


SIZE = passback.LONGEST - 10


@pytest.mark.parametrize(
    "filling",
    [
        "[" * (SIZE // 2) + "]" * (SIZE // 2),
        "(" * (SIZE // 2) + "1" + ")" * (SIZE // 2),
        "{1:" * (SIZE // 4) + "1" + "}" * (SIZE // 4),
        "[" * SIZE,
        "-" * SIZE + "1",
        "not " * (SIZE // 4) + "1",
        "1+" * (SIZE // 2) + "1",
        "1**" * (SIZE // 3) + "1",
        "1 if 1 else " * (SIZE // 12) + "1",
        "lambda:" * (SIZE // 7) + "1",
        "a." * (SIZE // 2) + "a",
        "a" + "[0]" * (SIZE // 3),
        "9" * SIZE,
        "0x" + "f" * SIZE + "g",
        "f'" + "{" * SIZE + "'",
        "\\\n" * (SIZE // 2) + "?",
    ],
)
def test_a_text_made_to_hurt_the_parser_reads_as_none(filling):
    text = "{'a':" + filling + "}"
    assert passback.decode([text]) == {text: None}


def test_a_nasty_text_does_not_touch_the_next_one():
    nasty = "{'a':" + "-" * SIZE + "1}"
    assert passback.decode([nasty, "{'a': 1}"])["{'a': 1}"] == {"a": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': \"O'Neil\"}", "O'Neil"),
        ("{'a': 'say \"hi\"'}", 'say "hi"'),
        (r"{'a': 'O\'Neil \"x\"'}", 'O\'Neil "x"'),
        ("{'a': None}", None),
        ('{"a": "json alike"}', "json alike"),
        (r"{'a': '\u0416\x41\n\\'}", "ЖA\n\\"),
        ("  {'a': 1,}\n", 1),
        ("{'a': 'b' 'c'}", "bc"),
        ("{'a': 1, 'a': 2}", 2),
    ],
)
def test_a_dict_is_read_as_python_reads_it(text, value):
    assert passback.decode([text])[text] == {"a": value}


def test_an_escape_that_python_warns_of_is_kept_without_a_warning():
    text = r"{'a': 'C:\dir'}"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert passback.decode([text]) == {text: {"a": r"C:\dir"}}
    assert said == []


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_plain_value_has_only_characters_that_python_s_parser_reads_as_they_are(quote):
    key = passback.KEYS[0]
    others = {quote, "\\", "\n", "\r", "\0", *map(chr, range(0xD800, 0xE000))}
    for character in others:
        assert not passback.PLAIN_DICT.fullmatch(f"{{'{key}': {quote}{character}{quote}}}")
    value = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if c not in others)
    text = f"{{'{key}': {quote}{value}{quote}}}"
    assert passback.PLAIN_DICT.fullmatch(text)
    assert ast.literal_eval(text) == {key: value}


PAIRS = [[f"'{key}': 'a'", f"'{key}': None", f'"{key}": 1', ""] for key in passback.KEYS]


@pytest.mark.parametrize("between", [", ", ",", " ", "", ", , "])
def test_pairs_that_are_joined_in_another_way_read_as_python_reads_them(between):
    for pairs in product(*PAIRS):
        text = "{" + between.join(pairs) + "}"
        try:
            parsed = ast.literal_eval(text)
        except SyntaxError:
            parsed = None
        found = passback.decode([text])[text]
        assert found == (parsed if isinstance(parsed, dict) else None), text


def usual_of(texts: list[str]) -> dict[str, dict[str, str]]:
    """What ``usual`` reads of some of the texts."""
    return {
        texts[place]: dict(zip(passback.KEYS, read, strict=False))
        for places, values in passback.usual(pa.array(texts, pa.string()))
        for place, *read in zip(places, *(value.to_pylist() for value in values), strict=True)
    }


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.lists(
        st.dictionaries(st.sampled_from([*passback.KEYS, "a"]), st.none() | tokens | texts)
        .map(repr)
        .filter(str.isascii)
    ),
    st.lists(tokens, min_size=1),
    st.integers(0),
)
def test_texts_that_are_read_at_once_are_read_as_one_by_one(given_texts, damage, place):
    many = [f"{{'{key}': 'a', '{other}': 'b'}}" for key, other in product(passback.KEYS, repeat=2)]
    for text, token in zip(given_texts, damage, strict=False):
        at = place % (len(text) + 1)
        many += [text, text[:at] + token + text[at + place % 3 :]]
    read = usual_of(many)
    assert passback.decode(read) == read


def test_pairs_in_their_order_with_plain_values_are_read_at_once_and_no_others():
    values = ["", "a", "Ж\xa0\u2028😀", 'say "hi"', "{}: , "]
    pairs = [[f"'{key}': '{value}'" for value in values] for key in passback.KEYS]
    plain = [
        "{" + ", ".join(chosen) + "}"
        for count in range(1, len(pairs) + 1)
        for chosen in product(*pairs[:count])
    ]
    assert set(usual_of(plain)) == set(plain)
    assert passback.decode(plain) == usual_of(plain)
    key = passback.KEYS[0]
    other = [f"{{'{key}': 'a{character}'}}" for character in ["'", "\\", "\n", "\r", "\0"]]
    other += [
        "",
        "{}",
        "{'a': 'b'}",
        f"{{'{key}': None}}",
        f"{{'{key}': '{'a' * passback.LONGEST}'}}",
    ]
    other += [text + " " for text in plain[:3]] + [f"{{'{key}':'a'}}", f"{{'{key}': 'a',}}"]
    assert usual_of(other) == {}
