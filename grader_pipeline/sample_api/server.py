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

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)
PARAMETERS = ("client", "client_key", "start", "end")


def sample_api(
    *,
    rows: int = DEFAULT_ROWS,
    latency: float = 0,
    dirty: float = 0.03,
    client: str = "sample",
    client_key: str = "sample",
) -> Starlette:
    """Give the sample grader as an ASGI application. Learners grow with ``rows``.

    `__main__` has what the options mean.
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


def serve(app: Starlette, host: str, port: int) -> None:
    """Serve the sample grader until a signal ends it. Port 0 picks a free one.

    Prints one line with the URL as soon as requests are taken. Raises OSError when another process
    has the port.
    """
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
    """What is wrong with the parameters: a text for each wrong one."""
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
