"""The pipeline's assets, one file each, in the order of the data. Each does one step of a day."""

import dagster as dg

GROUP = "grader"
REPORTS_GROUP = "reports"


def column_schema(**columns: tuple[str, str | None]) -> dg.TableSchema:
    """Columns for the UI's catalogue: a type and a description each."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, kind, description=text) for name, (kind, text) in columns.items()
        ]
    )
