"""How many learners a group must have to be shown or named (docs/privacy.md)."""

LEAST_LEARNERS = 5
"""The smallest group that is shown. The function ``few`` (sql/schema) knows it too."""
