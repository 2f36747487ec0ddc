"""The grader's API and PostgreSQL.

A resource owns its connections, its deadlines and its retries, turns what goes wrong into a
failure that says what to do, and keeps its secrets to itself. It knows nothing of assets.
"""
