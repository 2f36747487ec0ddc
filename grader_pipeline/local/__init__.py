"""What one machine needs and a cluster has already: the embedded PostgreSQL, the services, a home.

It starts what is not configured, then Dagster, watches over them, and leaves nothing running,
however it ends. The pipeline itself knows nothing of it.
"""
