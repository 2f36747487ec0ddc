"""``/metrics`` beside the UI: what a watch outside needs, in the form of Prometheus.

Times are seconds since 1970, so that an alert compares them with ``time()``. Nothing names a
learner. ``deploy/alerts.yaml`` has the alerts.

How much of the quota of the Sheets API is used is not known here: it is of the Google account, in
all its programs. Google Cloud shows it. A refusal for the quota is in the log, and is asked again.

Source: daily_metrics, mail_outbox, Dagster's runs and heartbeats, and its run launcher.
"""

import datetime as dt
from collections.abc import Iterator

import dagster as dg
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from grader_pipeline.mornings import LATEST, newest_morning
from grader_pipeline.partitions import window
from grader_pipeline.reports.waiting import waiting_days
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.schedule import UNFINISHED
from grader_pipeline.settings import Settings
from grader_pipeline.statements import statement
from grader_pipeline.workers import KnowsWorkers


def metrics(instance: dg.DagsterInstance, postgres: Postgres) -> bytes:
    """What holds now, as text. Raises as :class:`Postgres` does."""
    registry = CollectorRegistry()
    registry.register(_Now(instance, postgres))
    return generate_latest(registry)


class _Now:
    """Asks anew at each scrape; Prometheus's registry wants an object for that."""

    def __init__(self, instance: dg.DagsterInstance, postgres: Postgres) -> None:
        self._instance = instance
        self._postgres = postgres

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._postgres.transaction() as db:
            reported = db.execute(statement("status/reported_day"), {"day": None}).fetchone() or {}
            undelivered = db.execute(statement("status/undelivered_mails")).fetchone() or {}
            waiting = len(waiting_days(db))
        if last := reported["day"]:
            yield GaugeMetricFamily(
                "grader_last_reported_day_end_seconds",
                "The end of the newest day that readers have a report of.",
                window(last).end.timestamp(),
            )
        settings = Settings()
        due = newest_morning(settings, dt.datetime.now(dt.UTC) - LATEST)
        if due >= settings.grader_start_date:
            yield GaugeMetricFamily(
                "grader_due_day_end_seconds",
                "The end of the newest day that should be reported by now.",
                window(due).end.timestamp(),
            )
        yield GaugeMetricFamily(
            "grader_waiting_days", "Days that wait to be computed again.", waiting
        )
        mails = GaugeMetricFamily(
            "grader_undelivered_mails",
            "Mails that wait, or that somebody did not get.",
            labels=["state"],
        )
        for state, number in undelivered.items():
            mails.add_metric([state], number)
        yield mails
        yield self._runs()
        yield self._heartbeats()
        yield from self._workers()

    def _workers(self) -> Iterator[GaugeMetricFamily]:
        launcher = self._instance.run_launcher
        found = launcher.workers() if isinstance(launcher, KnowsWorkers) else None
        for name, text, value in (
            ("grader_live_workers", "Workers that answer.", found and found.live),
            ("grader_worker_slots", "Runs that they execute at once.", found and found.slots),
            (
                "grader_runs_without_worker",
                "Runs that were handed out and that no worker has begun.",
                found and found.waiting,
            ),
        ):
            # Without a value, the name is there and has no sample.
            yield GaugeMetricFamily(name, text, value)

    def _runs(self) -> GaugeMetricFamily:
        runs = GaugeMetricFamily(
            "grader_runs", "Runs that are not finished, and all that failed.", labels=["status"]
        )
        for status in (*UNFINISHED, dg.DagsterRunStatus.FAILURE):
            count = self._instance.get_runs_count(dg.RunsFilter(statuses=[status]))
            runs.add_metric([status.value], count)
        return runs

    def _heartbeats(self) -> GaugeMetricFamily:
        beats = GaugeMetricFamily(
            "grader_daemon_heartbeat_seconds",
            "The last sign of life of each daemon.",
            labels=["daemon"],
        )
        for name, beat in self._instance.get_daemon_heartbeats().items():
            beats.add_metric([name], beat.timestamp)
        return beats
