"""The fixtures of this room: a home, and a way to start real processes."""

from grader_pipeline_tests.processes import home, started

__all__ = ["home", "started"]
