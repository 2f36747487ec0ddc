"""The standard library's HTTP client, with a deadline in place of timeouts.

Before each read of the socket its timeout is set to the time left. So the deadline holds for lines
of a header and for bytes of a body that come now and then. Proxies are those of the environment
(HTTPS_PROXY, NO_PROXY). Trusted certificates are those of SSL_CERT_FILE or SSL_CERT_DIR, else
those of certifi.
"""

import base64
import io
import os
import socket
import ssl
import time
from collections.abc import Mapping
from functools import cache, partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection, IncompleteRead, InvalidURL
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit
from urllib.request import (
    AbstractHTTPHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    getproxies,
)

import certifi
import idna

_CONNECT_SECONDS = 15
_HEADERS = [
    ("User-Agent", "grader-pipeline"), ("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"),
]  # fmt: skip


class NotConnected(Exception):  # noqa: N818 - an outcome, which the caller explains
    """The server cannot be connected to. ``error`` is why."""

    def __init__(self, error: OSError) -> None:
        super().__init__(type(error).__name__)
        self.error = error


def open_request(request: Request, deadline: float) -> HTTPResponse:
    """Send a request and read the head of the answer, of any status. ``deadline`` is monotonic.

    Reading the body keeps the deadline, too. Raises NotConnected, OSError, HTTPException.
    """
    opener = OpenerDirector()
    opener.addheaders = _HEADERS
    known = getproxies()
    schemes = ("http", "https")
    proxies = {scheme: known.get(scheme) or known.get("all") for scheme in schemes}
    opener.add_handler(ProxyHandler({name: proxy for name, proxy in proxies.items() if proxy}))
    opener.add_handler(_Handler(deadline))
    response: HTTPResponse = opener.open(request)
    return response


def request_for(
    method: str,
    url: str,
    params: Mapping[str, Any],
    headers: Mapping[str, str],
    data: bytes | None,
) -> Request:
    """The request. ``params`` replace those of the same name in ``url``.

    Raises InvalidURL if the address cannot be used.
    """
    try:
        address, login = _address(url, params)
    except ValueError as error:
        raise InvalidURL from error
    return Request(address, data, {**login, **headers}, method=method)  # noqa: S310 - http or https


def _address(url: str, params: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The address with its parameters, and the header that its user and password make."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable():
        raise ValueError("not an address")
    query: dict[str, list[str]] = {}
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(text)
    for name, value in params.items():
        query[name] = [_written(each) for each in (value if isinstance(value, list) else [value])]
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    asked = f"?{urlencode(query, doseq=True)}" if query else ""
    return f"{parts.scheme}://{_host(parts)}{path}{asked}", _login(parts)


def _host(parts: SplitResult) -> str:
    name = parts.hostname or ""
    if not name.isascii():
        name = idna.encode(name, uts46=True).decode()
    if ":" in name:
        name = f"[{name}]"
    return f"{name}:{parts.port}" if parts.port is not None else name


def _login(parts: SplitResult) -> dict[str, str]:
    if not parts.username and not parts.password:
        return {}
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


def _written(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Reader(io.RawIOBase):
    """Reads a connection until the deadline."""

    def __init__(self, connection: socket.socket, raw: io.RawIOBase, deadline: float) -> None:
        self._connection = connection
        self._raw = raw
        self._deadline = deadline
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - as its base class
        self._connection.settimeout(_left(self._deadline))
        count = self._raw.readinto(buffer)
        self.has_ended = not count
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **options: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **options)
        self._reader = _Reader(sock, self.fp.detach(), deadline)
        self.fp = io.BufferedReader(self._reader, 64 * 1024)

    def begin(self) -> None:
        super().begin()
        # The library takes a hint before the answer (103) for the answer.
        while 100 < self.status < 200:  # noqa: PLR2004
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()
        # The library takes the end of the connection for the end of the headers.
        if self._reader.has_ended:
            raise IncompleteRead(b"")


class _Deadlined(HTTPConnection):
    def __init__(self, *args: Any, deadline: float, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self._deadline = deadline
        self.response_class = partial(_Response, deadline=deadline)  # type: ignore[assignment]
        # The library's own would try each address of a host for as long as all of them may take.
        self._create_connection = partial(_connected, deadline)

    def connect(self) -> None:
        try:
            super().connect()
            self.sock.settimeout(_left(self._deadline))
        except OSError as error:
            raise NotConnected(error) from None


class _Encrypted(_Deadlined, HTTPSConnection):
    pass


def _connected(deadline: float, address: tuple[str, int], *_: object) -> socket.socket:
    """The first address of the host that takes the connection."""
    until = min(deadline, time.monotonic() + _CONNECT_SECONDS)
    failure = OSError("no address")
    for family, kind, protocol, _name, place in socket.getaddrinfo(*address, type=1):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(until))
            connection.connect(place)
        except OSError as error:
            connection.close()
            failure = error
        else:
            # For TLS, which comes next.
            connection.settimeout(min(_left(deadline), _CONNECT_SECONDS))
            return connection
    raise failure


class _Handler(AbstractHTTPHandler):
    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_Deadlined, request, deadline=self._deadline)  # type: ignore[arg-type]

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(
            _Encrypted,  # type: ignore[arg-type]
            request,
            deadline=self._deadline,
            context=certificates(),
        )

    http_request = https_request = AbstractHTTPHandler.do_request_


@cache
def certificates() -> ssl.SSLContext:
    """Read the trusted certificates once. That takes longer than an exchange."""
    file, folder = (os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    if not file and not folder:
        file = certifi.where()
    return ssl.create_default_context(cafile=file or None, capath=folder or None)
