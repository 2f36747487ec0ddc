"""The pipeline's assets, one file each, in the order in which a day passes through them.

An asset says what is done with a day and tells what came of it; how an API, a database or a sheet
is spoken to is the resources' business, what SQL says stands in ``sql/``.
"""

import dagster as dg

GROUP = "grader"
OWNERS = ["team:course-analytics"]


def column_schema(**columns: tuple[str, str]) -> dg.TableSchema:
    """Columns for the UI's catalogue: a type and a description each."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, kind, description=text) for name, (kind, text) in columns.items()
        ]
    )
