"""Which records in Dagster say less of a day than the tables do.

A *record* is the newest materialization of an asset and a day. The transaction that changes a table
outdates the records. Who has written a new one, from what it read afterwards, settles them. If a
process dies in between, the record is written twice, and never left out.
"""

import datetime as dt
from collections.abc import Sequence

from grader_pipeline.resources.postgres import Connection
from grader_pipeline.statements import statement

Outdated = dict[tuple[str, dt.date], int]
"""Asset and day -> the version of the outdated record."""


def outdate_records(
    db: Connection, assets: Sequence[str], date: dt.date, run_id: str | None = None
) -> None:
    """Note that the tables have changed since Dagster's records of these assets and this day.

    ``run_id`` is the run of that day, if it writes them itself.
    """
    given = {"assets": list(assets), "report_date": date, "run_id": run_id}
    db.execute(statement("report_tables/outdate_records"), given)


def outdated_records(
    db: Connection,
    assets: Sequence[str],
    date: dt.date | None = None,
    *,
    run_id: str | None = None,
    of_all_runs: bool = False,
) -> Outdated:
    """The outdated records of these assets, of one day or of all, oldest day first.

    Read this before the contents of the records. Those that the run of another day writes itself
    are left out, unless ``of_all_runs``.
    """
    given = {
        "assets": list(assets),
        "report_date": date,
        "run_id": run_id,
        "of_all_runs": of_all_runs,
    }
    rows = db.execute(statement("report_tables/outdated_records"), given).fetchall()
    return {(row["asset"], row["report_date"]): row["version"] for row in rows}


def settle_records(db: Connection, outdated: Outdated) -> None:
    """Note that Dagster has new records. Those outdated again since they were read stay."""
    for (asset, date), version in outdated.items():
        given = {"asset": asset, "report_date": date, "version": version}
        db.execute(statement("report_tables/settle_record"), given)
