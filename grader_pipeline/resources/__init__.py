"""The grader's API and PostgreSQL. ``http`` asks over HTTP with a deadline.

A resource has its own connections, deadlines and retries. It turns an error into a failure that
says what to do and has no secret in it. It knows nothing of assets.
"""
