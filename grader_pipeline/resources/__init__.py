"""The world outside, one module each: the grader's API, PostgreSQL, the sheet, the mail.

A resource owns its connections, its deadlines and its retries, turns what goes wrong into a
failure that says what to do, and keeps its secrets to itself. It knows nothing of assets.
"""
