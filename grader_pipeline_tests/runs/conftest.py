"""Rooms whose tests start real processes share a home and a way to start them."""

from grader_pipeline_tests.processes import home, started

__all__ = ["home", "started"]
