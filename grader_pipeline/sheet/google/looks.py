"""The looks of a worksheet as requests of the Sheets API: header, filter, frozen cells, formats."""

from grader_pipeline.sheet.google.batch_update import Request
from grader_pipeline.sheet.table import Table


def look_requests(sheet_id: int, table: Table, lines: int, is_new: bool) -> list[Request]:
    """Make the requests, if any, after which the worksheet looks as it shall.

    ``lines`` counts its lines, header included. ``is_new`` is whether it is made by this write.
    """
    return []
