"""The fixtures of this room: a home, a way to start real processes, and several hosts."""

from grader_pipeline_tests.processes import home, started
from grader_pipeline_tests.runs.celery_hosts import (
    answering,
    api_server,
    hosts,
    outside,
    redis,
    workers,
)

__all__ = ["answering", "api_server", "home", "hosts", "outside", "redis", "started", "workers"]
