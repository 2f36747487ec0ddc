"""A month of a small school, and all that can happen to its data, drawn at random from a seed."""

import datetime as dt
import json
import os
import random
import signal
import time
from argparse import Namespace
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import dagster as dg
import psycopg
import pytest

from grader_pipeline.cli import recompute
from grader_pipeline.definitions import build_defs
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline_tests.grader import Grader, attempt, learner, rows

FIRST, DAYS = dt.date(2023, 5, 1), 30
START = FIRST + dt.timedelta(days=3)
"""GRADER_START_DATE: attempts of the days before count in history."""
ZONES = ("Europe/Moscow", "Asia/Kolkata")
_LEARNERS = [learner(number) for number in range(9)]
_TASKS = ("a" * 32, "b" * 32, "c" * 32)
_COURSES = ("course-v1:S+A+1", "course-v1:S+B+1")
_PAUSES = (0, 1, 60, 29 * 60, 1800, 1801, 7200)


class School:
    """The API's attempts, the database, Dagster's instance, and what happens to them."""

    def __init__(
        self, seed: int, grader: Grader, url: str, instance: dg.DagsterInstance,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        self.draw = random.Random(seed)
        self.url = url
        self.instance = instance
        self.zone = ZONES[0]
        self.story: list[str] = []
        self.loaded: set[dt.date] = set()
        self._monkeypatch = monkeypatch
        self._setting("GRADER_START_DATE", START.isoformat())
        self._setting("GRADER_MIN_VOLUME_SHARE", "0")
        self._setting("GRADER_TIMEZONE", self.zone)
        self._elements = [
            element for number in range(DAYS) for element in self._day(FIRST + _days(number))
        ]
        grader.answer = self._answer

    def days(self) -> list[dt.date]:
        return [START + _days(number) for number in range(DAYS - 3)]

    def happen(self) -> None:
        """One thing of those that happen, some more often than others."""
        events: list[tuple[int, Callable[[], None]]] = [
            (8, self.load), (3, self.load_corrected), (2, self.delete_learner), (2, self.edit),
            (3, self.insert_foreign), (1, self.delete_day), (1, self.change_zone), (2, self.kill),
            (1, self.refresh), (1, self.move), (1, self.recompute_some),
        ]  # fmt: skip
        weights, things = zip(*events, strict=True)
        (thing,) = self.draw.choices(things, weights)
        thing()

    def load(self, day: dt.date | None = None, **config: Any) -> None:
        day = day or self.draw.choice(self.days())
        self.story.append(f"load {day} {config}")
        defs = build_defs()
        result = defs.resolve_job_def("grader_day").execute_in_process(
            partition_key=day.isoformat(),
            instance=self.instance,
            run_config={"ops": {"grader_table": {"config": config}}} if config else None,
            raise_on_error=False,
        )
        assert result.success, self.story
        self.loaded.add(day)

    def load_corrected(self) -> None:
        """The API sends other attempts of a day: some are gone, some new, some have a verdict."""
        day = self.draw.choice(self.days())
        kept = []
        for element in self._elements:
            if element["created_at"].startswith(day.isoformat()):
                fate = self.draw.random()
                if fate < 0.2:
                    continue
                if fate < 0.5 and element["attempt_type"] == "submit":
                    element = {**element, "is_correct": self.draw.choice((0, 1, None))}  # noqa: PLW2901
            kept.append(element)
        self._elements = [*kept, *self._day(day)[:3]]
        self.load(day, on_conflict=self.draw.choice(("nothing", "update")))

    def delete_learner(self) -> None:
        user, (start, end) = self.draw.choice(_LEARNERS), self._some_hours()
        self.say("DELETE FROM grader WHERE user_id = %s AND created_at BETWEEN %s AND %s",
                 user, start, end)  # fmt: skip

    def delete_day(self) -> None:
        """The table and the API lose a day; the ledger keeps it."""
        day = self.draw.choice(self.days())
        self._elements = [
            e for e in self._elements if not e["created_at"].startswith(day.isoformat())
        ]
        self.say("DELETE FROM grader WHERE created_at::date = %s", day)

    def edit(self) -> None:
        start, end = self._some_hours()
        change = self.draw.choice((
            "is_correct = NOT is_correct", "is_correct = NULL", "attempt_type = 'run'",
            "lis_outcome_service_url = NULL",
            f"lis_result_sourcedid = replace(lis_result_sourcedid, '{_TASKS[0]}', '{_TASKS[1]}')",
        ))  # fmt: skip
        self.say(f"UPDATE grader SET {change} WHERE created_at BETWEEN %s AND %s", start, end)

    def move(self) -> None:
        """Attempts get another time, on another day."""
        start, end = self._some_hours()
        back = f"{self.draw.choice((1, 5, 26))} hours {self.draw.randrange(999)} microseconds"
        self.say(f"UPDATE grader SET created_at = created_at - interval '{back}'"
                 " WHERE created_at BETWEEN %s AND %s", start, end)  # fmt: skip

    def insert_foreign(self) -> None:
        """The original script's rows: of any day, also of days that the pipeline never loads."""
        day = FIRST + _days(self.draw.randrange(DAYS))
        for element in self._day(day):
            passback = element["passback_params"] or "'lis_result_sourcedid': 'x'"
            sourcedid = passback.partition("'lis_result_sourcedid': '")[2].partition("'")[0]
            self.say(
                "INSERT INTO grader (user_id, lis_result_sourcedid, is_correct, attempt_type,"
                " created_at) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                element["lti_user_id"], sourcedid,
                None if element["is_correct"] is None else bool(element["is_correct"]),
                element["attempt_type"].replace("test", "run"), element["created_at"],
            )  # fmt: skip

    def change_zone(self) -> None:
        """A run refuses days of another time zone. recompute computes all of them again."""
        if not self.ask("SELECT FROM school_calendar"):
            return
        self.zone = ZONES[1 - ZONES.index(self.zone)]
        self._setting("GRADER_TIMEZONE", self.zone)
        self.story.append(f"zone {self.zone}")
        with pytest.raises(AssertionError):
            self.load()
        recompute.run(recompute_arguments())

    def recompute_some(self) -> None:
        if self.ask("SELECT FROM school_calendar"):
            first = self.draw.choice(self.days())
            self.story.append(f"recompute from {first}")
            recompute.run(recompute_arguments(first))

    def kill(self) -> None:
        """A run is killed at any moment. Nobody retries it."""
        day, delay = self.draw.choice(self.days()), self.draw.random()
        self.story.append(f"kill {day} after {delay:.2f} s")
        reference = self.instance.get_ref()
        if (child := os.fork()) == 0:
            try:
                self.instance = dg.DagsterInstance.from_ref(reference)
                self.load(day)
            finally:
                os._exit(0)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    def refresh(self) -> None:
        self.story.append("refresh")
        job = build_defs().resolve_job_def("refresh")
        assert job.execute_in_process(instance=self.instance, raise_on_error=False).success

    def waiting(self) -> list[dt.date]:
        postgres = Postgres()
        with postgres.transaction() as db:
            found = waiting_days(db)
        postgres.close()
        return found

    def ask(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=psycopg.rows.dict_row) as db:
            return db.execute(query.encode(), parameters or None).fetchall()

    def say(self, query: str, *parameters: object) -> None:
        """Change the table by hand. Before the first load there is none."""
        if not self.ask("SELECT to_regclass('grader') AS t")[0]["t"]:
            return
        self.story.append(f"{query} {parameters}")
        with psycopg.connect(self.url) as db:
            try:
                db.execute(query.encode(), parameters)
            except psycopg.errors.UniqueViolation:
                db.rollback()

    def _setting(self, name: str, value: str) -> None:
        self._monkeypatch.setenv(name, value)

    def _some_hours(self) -> tuple[dt.datetime, dt.datetime]:
        start = dt.datetime.combine(FIRST + _days(self.draw.randrange(DAYS)), dt.time())
        return start, start + dt.timedelta(hours=self.draw.choice((6, 12, 30)))

    def _day(self, day: dt.date) -> list[dict[str, Any]]:
        """Attempts of a UTC day, with every kind of verdict and type that the API sends."""
        found: dict[tuple[str, dt.datetime], dict[str, Any]] = {}
        for user in self.draw.sample(_LEARNERS, self.draw.randrange(len(_LEARNERS))):
            moment = dt.datetime.combine(day, dt.time(self.draw.randrange(24)))
            for _ in range(self.draw.randrange(1, 7)):
                moment += dt.timedelta(seconds=self.draw.choice(_PAUSES))
                if moment.date() != day:
                    break
                kind = self.draw.choice(("run", "submit", "submit", "submit"))
                verdict = self.draw.choice(
                    (0, 0, 1, 1.0, None) if kind == "submit" else (None, None, None, 0)
                )
                found[user, moment] = attempt(
                    f"{moment}", user, verdict, task=self.draw.choice(_TASKS), attempt_type=kind,
                    course=self.draw.choice(_COURSES),
                    url=self.draw.choice((None, "https://lms.example.org/grade")),
                )  # fmt: skip
        return [self._dressed(element) for element in found.values()]

    def _dressed(self, element: dict[str, Any]) -> dict[str, Any]:
        """The element in one of the forms that LMS send, or as one that goes to quarantine."""
        passback = element["passback_params"]
        course = next(course for course in _COURSES if course in passback)
        match self.draw.randrange(12):
            case 0:
                return {**element, "passback_params": passback.replace(course, quote(course))}
            case 1:
                return {**element, "passback_params": passback.replace(course, "unknown")}
            case 2:
                return {**element, "attempt_type": "test"}
            case 3:
                return {**element, "passback_params": None}
        return element

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        """The attempts of the window that is asked for."""
        asked = dict(parse_qsl(urlsplit(request.path).query))
        start, end = (dt.datetime.fromisoformat(asked[name]) for name in ("start", "end"))
        found = [
            element for element in self._elements
            if start <= dt.datetime.fromisoformat(element["created_at"]) <= end
        ]  # fmt: skip
        rows(json.loads(json.dumps(found)))(request)


def recompute_arguments(first: dt.date | None = None) -> Namespace:
    return Namespace(start=first, end=None)


def _days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)
