"""Asking the grader for a day: what is sent, what is an answer, what is tried again."""

import gzip
import hashlib
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from asking import ELEMENTS, KEY, WINDOW, api, ask, refusal

from grader_pipeline.failures import PermanentFailure, TransientFailure
from grader_pipeline_tests.certificates import server_with_expired_certificate
from grader_pipeline_tests.grader import body, in_turn, raw

BODY = json.dumps(ELEMENTS, ensure_ascii=False).encode()
TOMORROW = format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)


def test_the_query_is_client_key_start_and_end(grader):
    ask(grader.url)
    (path,) = grader.paths
    assert urlsplit(path).path == "/attempts"
    assert parse_qsl(urlsplit(path).query, strict_parsing=True) == [
        ("client", "school"),
        ("client_key", KEY),
        ("start", "2023-05-30 21:00:00.000000"),
        ("end", "2023-05-31 20:59:59.999999"),
    ]


def test_a_query_in_the_address_is_kept(grader):
    ask(f"{grader.url}?format=json&tag=a%20b")
    assert grader.requests == [
        {"format": "json", "tag": "a b", "client": "school", "client_key": KEY, **WINDOW}
    ]


@pytest.mark.parametrize("content", [BODY, b"[]", b"\xef\xbb\xbf [1,\n2]\n", b"[NaN]"])
@pytest.mark.parametrize("zipped", [False, True])
def test_an_answer_is_kept_as_received_while_it_is_needed(grader, content, zipped):
    grader.answer = body(content)
    if zipped:
        grader.answer = body(gzip.compress(content), Content_Encoding="gzip")
    received, answer = ask(grader.url)
    assert received == content
    assert answer.size == len(content)
    assert answer.sha256 == hashlib.sha256(content).hexdigest()
    assert answer.received == len(json.loads(content))
    assert answer.seconds > 0
    assert not answer.path.exists()


def test_the_answer_is_dropped_when_its_user_fails(grader):
    with pytest.raises(ZeroDivisionError), api().get_api_data(grader.url, WINDOW) as answer:
        raise ZeroDivisionError
    assert not answer.path.exists()


def test_a_chunked_answer_is_read_to_its_end(grader):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    grader.answer = raw(head + b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")
    assert ask(grader.url)[0] == b"[1,2]"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 430, 499, 204, 304])
def test_a_refusal_is_raised_at_once_with_its_status(grader, status):
    grader.answer = raw(
        f"HTTP/1.1 {status} {KEY}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    said = refusal(PermanentFailure, grader.url)
    assert str(status) in said
    assert "GRADER_API_" in said
    assert len(grader.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503, 599])
def test_an_error_that_may_pass_is_tried_again_and_raised_with_its_status(grader, status):
    grader.answer = body(f"asked with {KEY}".encode(), status)
    assert str(status) in refusal(TransientFailure, grader.url)
    assert len(grader.requests) == 2


def test_a_redirect_is_not_followed(grader):
    grader.answer = lambda request: body(b"", 302, Location=request.path)(request)
    assert "302" in refusal(PermanentFailure, grader.url)
    assert len(grader.requests) == 1


@pytest.mark.parametrize(
    "troubles",
    [
        [body(b"", 503)],
        [body(b"", 429, Retry_After="0"), raw(b"")],
        [body(BODY, length=len(BODY) + 1), body(BODY[:-1])],
        [body(b'{"errors": "busy"}'), body(b"", 500)],
    ],
)
def test_an_answer_after_trouble_is_the_answer(grader, troubles):
    grader.answer = in_turn(*troubles, body(BODY))
    content, answer = ask(grader.url, attempts=3)
    assert content == BODY
    assert answer.size == len(BODY)
    assert len(grader.requests) == len(troubles) + 1


def test_the_log_line_between_tries_names_the_trouble(grader, caplog):
    grader.answer = in_turn(body(b"", 503), body(BODY))
    ask(grader.url)
    assert [r.getMessage() for r in caplog.records if "Trying again" in r.getMessage()] == [
        "The grader API answered 503. It may recover; run the day again later. Trying again in 0 s."
    ]


@pytest.mark.parametrize("in_words", [False, True])
def test_a_server_that_asks_to_wait_is_waited_for(grader, in_words):
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    wish = until if in_words else "1"
    grader.answer = in_turn(body(b"", 429, Retry_After=wish), body(BODY))
    assert ask(grader.url)[0] == BODY
    first, second = grader.times
    assert second - first >= 1


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "wish",
    [
        *("86400", "1e400", "inf", "nan", "-5", "soon", ""),
        pytest.param(TOMORROW, id="tomorrow"),
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Wed, 21 Oct 99999 07:28:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
    ],
)
def test_no_wish_of_the_server_lets_a_run_wait_for_ever(grader, wish):
    grader.answer = in_turn(body(b"", 503, Retry_After=wish), body(BODY))
    assert ask(grader.url, longest_pause_seconds=0.05)[0] == BODY


def test_pauses_grow_and_stay_bounded(grader):
    grader.answer = body(b"", 500)
    refusal(TransientFailure, grader.url, attempts=5, longest_pause_seconds=0.15, pause_seconds=0.1)
    pauses = [b - a for a, b in zip(grader.times, grader.times[1:], strict=False)]
    assert pauses[0] >= 0.1
    assert all(pause >= 0.15 for pause in pauses[1:])


def test_a_port_where_nobody_listens_is_tried_again():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        assert "cannot be reached" in refusal(TransientFailure, url)


def test_a_host_that_does_not_exist_is_tried_again():
    assert "cannot be reached" in refusal(TransientFailure, "http://grader.invalid/")


def test_a_server_without_encryption_is_unreachable_by_https(grader):
    assert "cannot be reached" in refusal(
        TransientFailure, grader.url.replace("http:", "https:"), attempts=1
    )


def test_a_certificate_that_has_expired_is_called_expired_and_not_tried_again(monkeypatch, caplog):
    with server_with_expired_certificate(monkeypatch) as url:
        assert "certificate has expired" in refusal(PermanentFailure, url)
    assert "Trying again" not in caplog.text


@pytest.mark.parametrize(
    "url", ["grader.example.org/attempts", "ftp://grader.example.org", "http://", "http://a:b/", ""]
)
def test_an_address_that_cannot_be_used_is_not_tried_twice(url, caplog):
    assert "GRADER_API_URL is not an address" in refusal(PermanentFailure, url)
    assert "Trying again" not in caplog.text


def test_a_missing_address_says_what_to_set():
    with pytest.raises(PermanentFailure, match="GRADER_API_URL is not set"):
        api().probe()


def test_a_probe_asks_once(grader):
    assert "answers in" in api().probe()
    grader.answer = body(b"", 503)
    with pytest.raises(TransientFailure, match="503"):
        api().probe()
    assert len(grader.requests) == 2


def test_a_deadline_is_for_the_whole_request(grader, monkeypatch):
    monkeypatch.setenv("GRADER_API_TIMEOUT", "0.3")

    def hang(request):
        time.sleep(2)

    def drip(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[")
        for _ in range(200):
            request.wfile.write(b" ")
            time.sleep(0.02)

    def drip_headers(request):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for n in range(200):
            request.wfile.write(b"X-%d: a\r\n" % n)
            time.sleep(0.02)

    for slow in (hang, drip, drip_headers):
        grader.requests.clear()
        grader.answer = slow
        said = refusal(TransientFailure, grader.url)
        assert said == "The grader API gave no whole answer within 0.3 s (GRADER_API_TIMEOUT)."
        assert len(grader.requests) == 2
