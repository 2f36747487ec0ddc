"""The ``grader-pipeline`` command: everything the pipeline needs around it, started and stopped.

It starts the PostgreSQL and the sample API that are not configured, then Dagster, watches over
them, and leaves nothing running, however it ends. The pipeline itself knows nothing of it.
"""
