"""Google Sheets: one read, then at most one request that writes the cells that differ.

A write is one ``spreadsheets.batchUpdate``. Google applies all of it or nothing. Everything in it
is absolute: cells by their place, worksheets and charts by ids that we choose. So a reader never
sees half a write, and a request that arrives twice has the effect of one. No request clears,
appends or inserts, and none changes cells right of our columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import gspread
from gspread.http_client import ParamsType
from gspread.urls import WORKSHEET_DRIVE_URL

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.google.batch_update import (
    CELL_FIELDS,
    SHEET_FIELDS,
    Request,
    Sheet,
    columns_of,
    enlarge,
    find_worksheet,
    is_protected,
    lines_of,
    new_worksheet,
    own_sheet_id,
    sheet_id,
    update_cells,
)
from grader_pipeline.sheet.google.chart import chart_requests
from grader_pipeline.sheet.google.http import Refused
from grader_pipeline.sheet.google.refusals import explained
from grader_pipeline.sheet.table import Table
from grader_pipeline.sheet.update import Found, Written, compare

_BAD_REQUEST = 400


@dataclass(frozen=True)
class Spreadsheet:
    """One spreadsheet, as one account sees it."""

    client: gspread.Client
    id: str
    name: str
    account: str

    def show(self, tables: Sequence[tuple[str, Table]]) -> Written:
        """Make the spreadsheet show the tables, each on the worksheet named beside it.

        Raises PermanentFailure or TransientFailure. All of the write is then applied or nothing.
        """
        widths = {title: len(table.columns) for title, table in tables}
        with explained(self.account, f"the spreadsheet «{self.name}»"):
            requests, written = self._plan(self._read(widths), tables)
            try:
                self._write(requests)
            except Refused as refusal:
                # The sheet may have changed since it was read, also by an earlier try whose answer
                # was lost: Google refuses to add the same worksheet or chart again.
                if refusal.status != _BAD_REQUEST:
                    raise
                newer, _ = self._plan(self._read_in_two_steps(widths), tables)
                if newer == requests:
                    raise
                self._write(newer)
        return written

    def probe(self, title: str, width: int) -> Sequence[Found]:
        """Read our columns, and send a write that changes nothing but needs the right to write.

        Raises PermanentFailure or TransientFailure as a write does.
        """
        with explained(self.account, f"the spreadsheet «{self.name}»"):
            sheets = self._read({title: width})
            sheet = find_worksheet(sheets, title)
            some = sheet or sheets[0]
            frozen = some["properties"].get("gridProperties", {}).get("frozenRowCount", 0)
            same = {"sheetId": sheet_id(some), "gridProperties": {"frozenRowCount": frozen}}
            fields = "gridProperties.frozenRowCount"
            self._write([{"updateSheetProperties": {"properties": same, "fields": fields}}])
        return lines_of(sheet, width) if sheet else ()

    def _read(self, widths: dict[str, int]) -> list[Sheet]:
        """Read our columns of those of the worksheets that exist."""
        ranges = [columns_of(title, width) for title, width in widths.items()]
        try:
            return self._get(f"sheets({SHEET_FIELDS},{CELL_FIELDS})", ranges)
        except Refused as refusal:
            if refusal.status != _BAD_REQUEST:
                raise
        return self._read_in_two_steps(widths)

    def _read_in_two_steps(self, widths: dict[str, int]) -> list[Sheet]:
        """Read all worksheets, then our cells. Needed if a worksheet is missing or narrow."""
        sheets = self._get(f"sheets({SHEET_FIELDS})", [])
        ranges = []
        for title, width in widths.items():
            if sheet := find_worksheet(sheets, title):
                there = sheet["properties"].get("gridProperties", {}).get("columnCount", width)
                ranges.append(columns_of(sheet["properties"]["title"], min(width, there)))
        read = self._get(f"sheets(properties(sheetId),{CELL_FIELDS})", ranges) if ranges else []
        cells = {sheet_id(sheet): sheet.get("data", []) for sheet in read}
        return [sheet | {"data": cells.get(sheet_id(sheet), [])} for sheet in sheets]

    def _get(self, fields: str, ranges: list[str]) -> list[Sheet]:
        params: ParamsType = {"fields": fields, "ranges": ranges}
        document = self.client.http_client.spreadsheets_get(self.id, params)
        return list(document.get("sheets", []))

    def _write(self, requests: list[Request]) -> None:
        if requests:
            self.client.http_client.batch_update(self.id, {"requests": requests})

    def _plan(
        self, sheets: list[Sheet], tables: Sequence[tuple[str, Table]]
    ) -> tuple[list[Request], Written]:
        """Make the requests of a write, and what it will have written."""
        # Readers may have moved a chart to another worksheet.
        charts = [chart for sheet in sheets for chart in sheet.get("charts", ())]
        requests: list[Request] = []
        sheet_ids, lines, cells = [], 0, 0
        for title, table in tables:
            sheet = find_worksheet(sheets, title)
            if not table.lines and table.worksheet and not sheet:
                continue
            ident = sheet_id(sheet) if sheet else own_sheet_id(title)
            where = f"the worksheet «{title}» of «{self.name}»"
            update = compare(table, lines_of(sheet, len(table.columns)) if sheet else [], where)
            if sheet and update.cells and is_protected(sheet, update):
                raise PermanentFailure(
                    f"Protected: our columns in {where} are protected, and {self.account} is not "
                    "among the editors. Nothing was changed. Add that address to the editors of "
                    "the protected range, or lift the protection, and run the day again."
                )
            if sheet:
                requests += enlarge(sheet, table, update)
            else:
                requests += new_worksheet(title, table, update)
            if update.cells:
                requests.append(update_cells(ident, update))
            if table.chart:
                size = len(table.columns), max(len(update.lines), 2)
                requests += chart_requests(table.chart, ident, *size, charts)
            sheet_ids.append(ident)
            lines += len(update.lines) - 1
            cells += update.cells
        url = WORKSHEET_DRIVE_URL % (self.id, sheet_ids[0])
        return requests, Written(url, lines, cells, bool(requests))
