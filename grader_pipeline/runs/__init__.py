"""How a run gets its process: a server that forks a warm process for each run.

Every patch of Dagster's inside is in this room, each with its measured worth.
"""
