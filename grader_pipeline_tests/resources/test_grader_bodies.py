"""Bodies with status 200 that are no answer."""

import gzip
import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from asking import ELEMENTS, KEY, ask, refusal

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline_tests.grader import body, raw

BODY = json.dumps(ELEMENTS, ensure_ascii=False).encode()
HTML = b"<!DOCTYPE html><html><title>Sign in</title></html>"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CYRILLIC = '["Привет, мир"]'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (body(HTML), "web page"),
        (body(b"\n  " + HTML), "web page"),
        (body(b"null"), "not a JSON list"),
        (body(b'{"attempts": []}'), "not a JSON list"),
        (body(CYRILLIC.encode("cp1251")), "not UTF-8"),
        (body('["é à"]'.encode("latin-1")), "not UTF-8"),
        (body(CYRILLIC.encode("utf-16")), "not a JSON list"),
        (body(gzip.compress(b"[]")), "not a JSON list"),
    ],
)
def test_what_is_no_list_is_refused_at_once(grader, answer, words):
    grader.answer = answer
    assert words in refusal(PermanentFailure, grader.url)
    assert len(grader.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        body(BODY, length=len(BODY) + 1),
        body(BODY[:100], length=len(BODY)),
        body(BODY[:-1]),
        body(BODY[: BODY.index("ч".encode()) + 1]),
        body(b""),
        body(b"["),
        body(b"[1, 2,]"),
        body(b"[1][2]"),
        body(b"[" * 5000 + b"]" * 4999),
        raw(b""),
        raw(b"HTTP/1.1 200"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
        raw(CHUNKED + b"10\r\n[1, 2"),
        raw(CHUNKED + b"6\r\n[1, 2]\r\n"),
        raw(CHUNKED + b"x\r\n[1, 2]\r\n0\r\n\r\n"),
        body(b"[1, 2]", Content_Encoding="gzip"),
        body(gzip.compress(BODY)[:60], Content_Encoding="gzip"),
        body(gzip.compress(BODY)[:-8] + b"?" * 8, Content_Encoding="gzip"),
    ],
)
def test_an_answer_broken_on_the_way_is_asked_for_again(grader, answer):
    grader.answer = answer
    said = refusal(TransientFailure, grader.url)
    assert "broke off" in said or "grader API's answer" in said
    assert "Nothing of it was kept." in said
    assert len(grader.requests) == 2


def test_an_element_too_deep_to_read_is_received_like_any_other(grader):
    deep = b'{"x": %s%s}' % (b"[" * 5000, b"]" * 5000)
    answer = b"[1, %s, 2, %s]" % (deep, deep)
    grader.answer = body(answer)
    content, described = ask(grader.url)
    assert (content, described.received) == (answer, 4)


@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_without_end_is_given_up(grader, zipped):
    bomb = b"[" + b" " * 20_000_000 + b"]"
    grader.answer = body(bomb)
    if zipped:
        grader.answer = body(gzip.compress(bomb), Content_Encoding="gzip")
    said = refusal(PermanentFailure, grader.url, longest_body=1_000_000)
    assert "larger than 1,000,000 bytes" in said
    assert len(grader.requests) == 1


def test_an_error_with_status_200_is_tried_again_and_quoted(grader):
    grader.answer = body('{"errors": {"start": "неверная дата"}}'.encode())
    said = refusal(TransientFailure, grader.url)
    assert said.endswith('answered with an error: {"errors": {"start": "неверная дата"}}')
    assert len(grader.requests) == 2


@pytest.mark.parametrize("filling", ["", "x" * 275, "ж" * 140, "x" * 9000])
@pytest.mark.parametrize("written", [str, quote, quote_plus, json.dumps, escape])
def test_an_error_that_repeats_the_key_is_quoted_without_it(grader, filling, written):
    """Wherever the quotation ends: it has no part of the key."""
    grader.answer = body(f'{{"errors": "{filling} {written(KEY)}"}}'.encode())
    said = refusal(TransientFailure, grader.url, attempts=1)
    assert "answered with an error" in said
    assert len(said) < 400


def test_an_error_that_repeats_the_request_is_quoted_without_the_key(grader):
    def echo(request):
        body(json.dumps({"errors": {"asked": request.path}}).encode())(request)

    grader.answer = echo
    assert "client_key=***&" in refusal(TransientFailure, grader.url)
