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


def metadata_once(
    context: dg.AssetExecutionContext, result: dg.MaterializeResult
) -> dg.MaterializeResult:
    """Have Dagster store the metadata of a result with the asset's materialization only.

    It would store them with the event of the step's output too, where nobody looks for them.
    """
    context.add_asset_metadata(result.metadata or {}, asset_key=result.asset_key)
    return result._replace(metadata=None)
