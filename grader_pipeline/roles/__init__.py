"""The roles of a deployment: one process each, in the foreground, until a signal ends it.

``migrate`` prepares the database and ends. ``code_server``, ``ui``, ``daemon`` and ``worker``
serve the pipeline, on one machine or on several. ``health`` says whether one of them does. `dev`
starts the same commands.
"""
