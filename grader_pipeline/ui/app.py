"""Dagster's web application with one more route: ``/pictures/REPORT/DAY.png``.

A run draws no picture. Its metadata names the address, and this draws the picture from what the
tables hold when somebody opens it.
"""

import re

import dagster as dg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from grader_pipeline.reports.picture_files import NoPictureError, picture
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.ui.guard import Guard

_CONNECT_SECONDS = 5
_ASKED = re.compile(r"([^/]+)/([^/]+)\.png")
# As Dagster's own answers.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def app(dagsters: ASGIApp) -> ASGIApp:
    """The pictures, and for every other address ``dagsters``, the application of Dagster.

    Requests of foreign pages are refused: see ``guard.py``.
    """
    # Starlette calls a function that is no coroutine in a thread, so drawing blocks nobody.
    routes = [Route("/pictures/{asked:path}", _picture), Mount("/", dagsters)]
    return Guard(Starlette(routes=routes), Settings().grader_ui_hosts)


def _picture(request: Request) -> Response:
    asked = _ASKED.fullmatch(request.path_params["asked"])
    if asked is None:
        return _text("Write the address as /pictures/REPORT/YYYY-MM-DD.png.", 404)
    postgres = Postgres(connect_seconds=_CONNECT_SECONDS)
    try:
        png = picture(postgres, asked[1], asked[2])
    except NoPictureError as error:
        return _text(str(error), 404)
    except dg.Failure as failure:
        return _text(failure.description or "", 503)
    finally:
        postgres.close()
    return Response(png, media_type="image/png", headers=_HEADERS)


def _text(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, _HEADERS)
