"""Earlier releases meet the real chain of a day."""

from grader_pipeline_tests.assets.conftest import grader, instance, query, run_day

__all__ = ["grader", "instance", "query", "run_day"]
