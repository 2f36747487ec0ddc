"""The schema of Dagster's own tables, in the database of the pipeline."""

SCHEMA = "dagster"
