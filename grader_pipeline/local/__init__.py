"""What one machine needs and a cluster has already.

The launcher (``grader-pipeline dev`` or ``demo``) starts an embedded PostgreSQL and the sample API
where the settings name none, then Dagster's processes. It watches them, and ends them all when it
ends. The pipeline knows nothing of this room.
"""
