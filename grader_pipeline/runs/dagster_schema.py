"""Dagster's own tables in the database of the pipeline."""

SCHEMA = "dagster"
"""The schema of the tables."""

APPLICATION = "grader_pipeline"
"""The application_name in the URL of sessions that work in the schema."""
