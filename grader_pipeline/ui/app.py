"""Dagster's web application with more routes.

``/days/DAY`` is the page of a day, ``/pictures/REPORT/DAY.png`` a picture. A run stores their
addresses only, and this makes them from what the tables hold when somebody opens one. ``/metrics``
is what a watch outside sees (``metrics.py``). Who opens the UI without a path sees the newest day,
not Dagster's own first page.
"""

import datetime as dt
import re
from collections.abc import Callable
from functools import partial

import dagster as dg
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from grader_pipeline.page.page import NotStoredError, page
from grader_pipeline.reports.picture_files import NoPictureError, picture
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement
from grader_pipeline.ui.guard import Guard
from grader_pipeline.ui.metrics import metrics

_CONNECT_SECONDS = 5
_ASKED = re.compile(r"([^/]+)/([^/]+)\.png")
_DAY = "/assets/daily_metrics?view=partitions&partition={}"
_PIPELINE = "/locations/__repository__@grader_pipeline/asset-groups/grader/lineage"
"""Where *Materialize all…* is, for an installation without a day."""
# As Dagster's own answers.
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def app(dagsters: ASGIApp, instance: dg.DagsterInstance) -> ASGIApp:
    """The routes above, and for every other address ``dagsters``, the application of Dagster.

    Requests of foreign pages are refused: see ``guard.py``.
    """
    # Starlette calls a function that is no coroutine in a thread, so drawing blocks nobody.
    routes = [
        Route("/days/{day}", _day_page),
        Route("/pictures/{asked:path}", _picture),
        Route("/", _open),
        Route("/metrics", partial(_metrics, instance)),
        Mount("/", dagsters),
    ]
    return Guard(Starlette(routes=routes), Settings().grader_ui_hosts)


def _day_page(request: Request) -> Response:
    try:
        date = dt.date.fromisoformat(request.path_params["day"])
    except ValueError:
        return _text("Write the address as /days/YYYY-MM-DD.", 404)
    return _answer("text/html", lambda postgres: page(postgres, date, date)[0].encode())


def _picture(request: Request) -> Response:
    asked = _ASKED.fullmatch(request.path_params["asked"])
    if asked is None:
        return _text("Write the address as /pictures/REPORT/YYYY-MM-DD.png.", 404)
    try:
        return _answer("image/png", lambda postgres: picture(postgres, asked[1], asked[2]))
    except NoPictureError as error:
        return _text(str(error), 404)


def _open(_request: Request) -> Response:
    postgres = Postgres(connect_seconds=_CONNECT_SECONDS)
    try:
        with postgres.transaction() as db:
            found = db.execute(statement("reading/newest_day")).fetchone() or {"day": None}
    except dg.Failure:
        found = {"day": None}
    finally:
        postgres.close()
    return RedirectResponse(_DAY.format(found["day"]) if found["day"] else _PIPELINE, 307, _HEADERS)


def _metrics(instance: dg.DagsterInstance, _request: Request) -> Response:
    return _answer(CONTENT_TYPE_LATEST, lambda postgres: metrics(instance, postgres))


def _answer(media_type: str, read: Callable[[Postgres], bytes]) -> Response:
    """What is read from the tables; 404 if they lack it, 503 if the database does not answer."""
    postgres = Postgres(connect_seconds=_CONNECT_SECONDS)
    try:
        return Response(read(postgres), media_type=media_type, headers=_HEADERS)
    except NotStoredError as failure:
        return _text(failure.description or "", 404)
    except dg.Failure as failure:
        return _text(failure.description or "", 503)
    finally:
        postgres.close()


def _text(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, _HEADERS)
