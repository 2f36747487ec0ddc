"""Dagster's own tables in the database of the pipeline."""

SCHEMA = "dagster"
"""The schema of the tables."""

APPLICATION = "grader_pipeline"
"""The application_name in the URL of sessions that work in the schema."""

TABLES = {"runs", "instance_info", "event_logs", "jobs"}
"""Where these tables exist, Dagster's storage has made all of its tables."""
