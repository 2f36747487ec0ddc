"""The web server of the UI: Dagster's own application, and the pictures of the reports."""
