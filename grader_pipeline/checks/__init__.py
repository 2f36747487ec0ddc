"""The asset checks: ``registry.py`` says how they work, the others hold those of an asset each.

Import ``specs`` and ``results`` from here: then all checks are defined.
"""

from grader_pipeline.checks.loaded_day import LoadedDay, StoredBefore, table_schema
from grader_pipeline.checks.registry import Found, results, specs
from grader_pipeline.checks.sheet_day import ShownDay
from grader_pipeline.checks.validated_day import ValidatedDay

__all__ = [
    "Found",
    "LoadedDay",
    "ShownDay",
    "StoredBefore",
    "ValidatedDay",
    "results",
    "specs",
    "table_schema",
]
