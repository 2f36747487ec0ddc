"""How a run gets its process: a server forks a warm process for each run.

All code that changes Dagster's inside is in this room, in ``daemon``, ``instance_storage`` and
``waits``. docs/decisions/0012 has what each change is worth.
"""
