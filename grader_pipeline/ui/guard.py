"""Lets the UI take orders only from pages that it served.

Without this, any web page that somebody opens beside the UI can start and stop runs: browsers send
requests of a page to every address that the browser reaches. A request with a foreign ``Host`` or
``Origin`` is refused, a websocket too. A program sends no ``Origin``.
"""

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from grader_pipeline.ui.hosts import is_loopback

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Guard:
    """An ASGI application: ``app`` behind the rule of this module.

    ``hosts`` are the names under which the UI is reached, beside those of the own machine:
    GRADER_UI_HOSTS.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not: 403, and 405 for a GraphQL query by GET."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Before it is accepted, this is answered with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": "foreign page"})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        # Of two Hosts, other servers on the way may believe the other one.
        host = _authority("//" + ",".join(headers.getlist("host")))
        if host is None or not self._is_known(host[0]):
            return _answer(
                403,
                "The UI does not know this Host. Open it as localhost, or add the name to "
                "GRADER_UI_HOSTS.",
            )
        for origin in headers.getlist("origin"):
            found = _authority(origin)
            if found is None or (found != host and found[0] not in self._hosts):
                return _answer(403, "The UI takes orders only from pages that it served.")
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"} and _is_query(scope):
            return _answer(405, "Send a GraphQL query by POST.", Allow="POST")
        return None

    def _is_known(self, name: str) -> bool:
        return name in self._hosts or is_loopback(name)


def _authority(url: str) -> tuple[str, int | None] | None:
    """Host and port of a URL, in small letters; no port for that of its scheme. None: neither."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.username is not None:
        return None
    is_default = port in _DEFAULT_PORTS.values() and (
        not parts.scheme or port == _DEFAULT_PORTS.get(parts.scheme)
    )
    return name, None if is_default else port


def _is_query(scope: Scope) -> bool:
    path = scope["path"].rstrip("/")
    asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return path.endswith("/graphql") and "query" in asked


def _answer(status: int, text: str, **headers: str) -> Response:
    return PlainTextResponse(text, status, {"Cache-Control": "no-store", **headers})
