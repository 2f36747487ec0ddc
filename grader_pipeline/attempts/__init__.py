"""What an attempt is: the bytes of an answer become typed attempts, or reasons to refuse them.

``validation`` runs a day through the other modules. Nothing here knows Dagster, HTTP or SQL.
"""
