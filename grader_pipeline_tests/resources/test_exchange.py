"""An exchange ends by its deadline, and its errors have neither the address nor the key."""

import gzip
import os
import signal
import socket
import ssl
import time
import traceback
import zlib

import pytest
import trustme
from asking import KEY, assert_without_key

from grader_pipeline.resources import exchange, http_opener
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
    content = os.urandom(3_000_000)
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


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"", "RemoteDisconnected"),
        (b"SSH", "BadStatusLine"),
        (b"HTTP/1.1 200", "IncompleteRead"),
        (OK + b"Content-Type: text/plain\r\n", "IncompleteRead"),
        (OK + b"Content-Length: 9\r\n\r\nx", "IncompleteRead"),
        (CHUNKED + b"9\r\nx", "IncompleteRead"),
        (CHUNKED + b"1\r\nx\r\n", "IncompleteRead"),
        (CHUNKED + b"x\r\nx\r\n0\r\n\r\n", "IncompleteRead"),
        (CHUNKED + b"-5\r\nx\r\n0\r\n\r\n", "ValueError"),
        (OK + b"Content-Encoding: gzip\r\n\r\nxy", "error"),
        (
            OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x", mtime=0)[:-8],
            "IncompleteRead",
        ),
    ],
)
def test_an_answer_that_is_not_whole_is_an_error(grader, answer, cause):
    grader.answer = raw(answer)
    assert failure(exchange.NoAnswerError, grader.url) == cause


def test_a_server_that_does_not_listen_is_unreachable():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        failure(exchange.UnreachableError, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("url", ["grader.example.org", "ftp://grader.example.org", "http://a:b/"])
def test_an_address_that_cannot_be_used_is_an_error_of_its_own(url):
    failure(exchange.AddressError, url)


@pytest.mark.parametrize("url", ["http://exa mple.org/", "http://[::1/", "http://a\nb/", "http://"])
def test_an_address_with_a_wrong_sign_is_no_address(url):
    failure(exchange.AddressError, url)


def test_a_host_whose_addresses_do_not_answer_takes_no_longer_than_the_deadline(monkeypatch):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        place = full.getsockname()
        known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place)] * 5
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: known)
        # Nobody accepts these. The system drops further connections without a word.
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)
            connection.connect_ex(place)
        started = time.monotonic()
        failure(exchange.DeadlineError, "http://grader.example.org/", 0.5)
        assert time.monotonic() - started < 1.5
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_asked_except_for_hosts_that_are_left_out(
    grader, monkeypatch, name
):
    grader.answer = body(b"1")
    monkeypatch.setenv(name.lower(), grader.url)
    exchange.exchange("GET", "http://far.example.org/day", seconds=20, params={"key": 1})
    assert grader.paths == ["http://far.example.org/day?key=1"]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    exchange.exchange("GET", grader.url, seconds=20)
    assert grader.paths[1:] == ["/attempts"]


def test_an_encrypted_exchange_goes_through_a_proxy_in_a_tunnel(grader, monkeypatch):
    asked = []

    def tunnel(request):
        asked.append(request.requestline)
        request.send_error(403)

    monkeypatch.setattr(grader.server.RequestHandlerClass, "do_CONNECT", tunnel, raising=False)
    monkeypatch.setenv("https_proxy", grader.url)
    failure(exchange.UnreachableError, "https://far.example.org/day")
    assert [line.rpartition(" ")[0] for line in asked] == ["CONNECT far.example.org:443"]


def test_an_answer_comes_through_the_tunnel_of_a_proxy(grader, monkeypatch):
    authority = trustme.CA()
    trusting, serving = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(trusting)
    authority.issue_cert("far.example.org").configure_cert(serving)
    monkeypatch.setattr(http_opener, "certificates", lambda: trusting)
    asked = []

    def tunnel(request):
        request.send_response(200)
        request.end_headers()
        # From here on the connection is the far server's.
        with serving.wrap_socket(request.connection, server_side=True) as far:
            asked.append(far.recv(10_000).partition(b"\r\n")[0])
            far.sendall(OK + b"Content-Length: 3\r\n\r\n[1]")
        request.close_connection = True

    monkeypatch.setattr(grader.server.RequestHandlerClass, "do_CONNECT", tunnel, raising=False)
    monkeypatch.setenv("https_proxy", grader.url)
    answer = exchange.exchange("GET", "https://far.example.org/day", seconds=20, params={"a": 1})
    assert (answer.status, answer.data) == (200, b"[1]")
    assert asked == [b"GET /day?a=1 HTTP/1.1"]


def test_a_hint_before_the_answer_is_not_the_answer(grader):
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    grader.answer = raw(hint + hint + OK + b"Content-Length: 3\r\n\r\n[1]")
    answer = exchange.exchange("GET", grader.url, seconds=20)
    assert (answer.status, answer.data, "link" in answer.headers) == (200, b"[1]", False)


def test_user_and_password_of_an_address_are_sent_as_a_header(grader):
    headers = []
    grader.answer = lambda request: (headers.append(request.headers), body(b"1")(request))
    exchange.exchange("GET", grader.url.replace("//", "//user:p%40ss@"), seconds=20)
    exchange.exchange("GET", grader.url, seconds=20, headers={"Authorization": "Bearer x"})
    given = [header["Authorization"] for header in headers]
    assert given == ["Basic dXNlcjpwQHNz", "Bearer x"]


def test_parameters_are_written_as_a_query(grader):
    url = grader.url.replace("/attempts", "/путь/a b%20c")
    exchange.exchange("GET", url, seconds=20, params={"a": ["x", "y"], "b": True, "c": None})
    assert grader.paths == ["/%D0%BF%D1%83%D1%82%D1%8C/a%20b%20c?a=x&a=y&b=true&c="]


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, -zlib.MAX_WBITS])
def test_deflate_is_unpacked_with_and_without_its_header(grader, wbits):
    packer = zlib.compressobj(wbits=wbits)
    grader.answer = body(packer.compress(b"[1]") + packer.flush(), Content_Encoding="deflate")
    assert exchange.exchange("GET", grader.url, seconds=20).data == b"[1]"


def test_no_piece_of_a_packed_body_is_large(grader):
    grader.answer = body(gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")
    sizes = []
    exchange.exchange("GET", grader.url, seconds=20, take=lambda piece: sizes.append(len(piece)))
    assert (sum(sizes), max(sizes) < 2_000_000) == (10_000_000, True)


def test_a_signal_ends_an_exchange_at_once(grader):
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    grader.hold(body(b"1"), seconds=5)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            exchange.exchange("GET", grader.url, seconds=20)
        assert time.monotonic() - started < 1
    finally:
        signal.signal(signal.SIGALRM, before)
        grader.go_on.set()
