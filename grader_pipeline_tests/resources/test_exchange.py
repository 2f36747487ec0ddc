"""An exchange ends by its deadline, and its errors have neither the address nor the key."""

import gzip
import os
import socket
import time
import traceback

import pytest
from asking import KEY, assert_without_key

from grader_pipeline.resources import exchange
from grader_pipeline_tests.grader import body, raw


def failure(kind: type[Exception], url: str, seconds: float = 20, **how: object) -> str:
    """The error's text. All that the error has is searched for the key."""
    with pytest.raises(exchange.NoAnswerError) as refused:
        exchange.exchange("GET", url, seconds=seconds, params={"key": KEY}, **how)
    assert type(refused.value) is kind
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)
    assert_without_key("".join(traceback.format_exception(refused.value)))
    return str(refused.value)


@pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
def test_each_status_is_an_answer(grader, status):
    grader.answer = body(b"" if status == 204 else b"[1]", status, X_Name="value")
    answer = exchange.exchange("GET", grader.url, seconds=20)
    assert (answer.status, answer.headers["x-name"]) == (status, "value")
    assert answer.data == (b"" if status == 204 else b"[1]")
    assert len(grader.requests) == 1


def test_parameters_join_those_of_the_address_and_replace_their_namesakes(grader):
    exchange.exchange("GET", f"{grader.url}?a=1&b=2", seconds=20, params={"b": 3, "c": "x y&"})
    assert grader.requests == [{"a": "1", "b": "3", "c": "x y&"}]


def test_the_pieces_of_a_body_are_taken_unpacked_and_the_answer_has_none(grader):
    content = os.urandom(1_000_000)
    grader.answer = body(gzip.compress(content), Content_Encoding="gzip")
    pieces: list[bytes] = []
    answer = exchange.exchange("GET", grader.url, seconds=20, take=pieces.append)
    assert b"".join(pieces) == content
    assert len(pieces) > 1
    assert (answer.status, answer.data) == (200, b"")


def test_the_body_of_another_status_is_not_taken(grader):
    grader.answer = body(b"no", 503, Retry_After="7")
    answer = exchange.exchange("GET", grader.url, seconds=20, take=pytest.fail)
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")


def test_what_the_taker_raises_is_raised(grader):
    def take(_piece: bytes) -> None:
        raise ZeroDivisionError

    grader.answer = body(b"x")
    with pytest.raises(ZeroDivisionError):
        exchange.exchange("GET", grader.url, seconds=20, take=take)


def silent(request):
    time.sleep(2)


def dripping(request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(200):
        request.wfile.write(b" ")
        time.sleep(0.02)


def dripping_headers(request):
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for n in range(200):
        request.wfile.write(b"X-%d: a\r\n" % n)
        time.sleep(0.02)


@pytest.mark.parametrize("slow", [silent, dripping, dripping_headers])
@pytest.mark.parametrize("how", [{}, {"take": len}])
def test_the_deadline_is_for_the_whole_exchange(grader, slow, how):
    grader.answer = slow
    started = time.monotonic()
    assert failure(exchange.DeadlineError, grader.url, 0.3, **how) == "no answer within 0.3 seconds"
    assert 0.3 <= time.monotonic() - started < 2


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", b"SSH"])
def test_an_answer_that_is_not_whole_is_an_error(grader, answer):
    grader.answer = raw(answer)
    assert failure(exchange.NoAnswerError, grader.url) == "RemoteProtocolError"


def test_a_server_that_does_not_listen_is_unreachable():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        failure(exchange.UnreachableError, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["grader.example.org", "ftp://grader.example.org", "http://a:b/"])
def test_an_address_that_cannot_be_used_is_an_error_of_its_own(url):
    failure(exchange.AddressError, url)
