"""How a run gets its process. The patches of Dagster are here: see docs/decisions/0012."""
