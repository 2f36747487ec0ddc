"""The HTTP side of the sample grader: parameters, key, latency, streaming."""

import asyncio
import datetime as dt
import re
import socket
from collections.abc import Mapping
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from grader_pipeline.sample_api.days import Days
from grader_pipeline.sample_api.totals import DEFAULT_ROWS

DEFAULT_CLIENT = "sample"
DEFAULT_KEY = "sample"
DEFAULT_DIRTY = 0.03

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)
PARAMETERS = ("client", "client_key", "start", "end")


def sample_api(
    *,
    rows: int = DEFAULT_ROWS,
    latency: float = 0,
    dirty: float = DEFAULT_DIRTY,
    client: str = DEFAULT_CLIENT,
    client_key: str = DEFAULT_KEY,
) -> Starlette:
    """Give the sample grader as an ASGI application.

    Args:
        rows: clean attempts on a usual weekday; users grow with them.
        latency: seconds before an answer starts.
        dirty: dirty rows for each clean one, in addition.
        client: who may ask.
        client_key: with which key; empty lets everybody in.

    """
    days = Days(rows, dirty)

    async def answer(request: Request) -> Response:
        given = request.query_params
        if errors := _errors(given):
            return JSONResponse({"errors": errors}, status_code=400)
        if client_key and (given["client"], given["client_key"]) != (client, client_key):
            return JSONResponse({"errors": {"client": "unknown client or key"}}, status_code=403)
        await asyncio.sleep(latency)
        window = days.window(_time(given["start"]), _time(given["end"]))
        return StreamingResponse(window, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", answer)])


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    rows: int = DEFAULT_ROWS,
    latency: float = 0,
    dirty: float = DEFAULT_DIRTY,
    client: str = DEFAULT_CLIENT,
    client_key: str = DEFAULT_KEY,
) -> None:
    """Serve the sample grader until a signal ends it; port 0 picks a free one.

    Prints one line with the URL as soon as requests are taken. Raises OSError when the port is
    somebody else's.
    """
    app = sample_api(rows=rows, latency=latency, dirty=dirty, client=client, client_key=client_key)
    with socket.create_server((host, port), backlog=128) as listening:
        # The access log stays off: it would show the key that every request carries.
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=2
        )
        url = f"http://{host}:{listening.getsockname()[1]}/"
        print(f"Sample grader API: {url}", flush=True)  # noqa: T201 - a command prints
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


def _errors(given: Mapping[str, str]) -> dict[str, str]:
    """Say what is wrong with each parameter that is."""
    errors = {name: "missing" for name in PARAMETERS if not given.get(name)}
    for name in {"start", "end"} - errors.keys():
        try:
            _time(given[name])
        except ValueError:
            errors[name] = "not a time in UTC as YYYY-MM-DD HH:MM:SS.ffffff"
    if not errors and _time(given["end"]) < _time(given["start"]):
        errors["end"] = "before start"
    return errors


def _time(text: str) -> dt.datetime:
    if not TIME.fullmatch(text):
        raise ValueError(text)
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
