"""Google Sheets: one read, then at most one request that states the cells that differ.

A write is a single ``spreadsheets.batchUpdate``, which Google applies wholly or not at all, and
everything in it is absolute: cells by their place, sheets and charts by ids of ours. So a reader
never sees a half of it, and applying it twice is applying it once. Nothing here clears, appends
or inserts. Cells right of our columns appear in no request.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg
import gspread
from gspread.http_client import ParamsType
from gspread.urls import WORKSHEET_DRIVE_URL

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.google.chart import chart_requests
from grader_pipeline.sheet.google.http import Refused
from grader_pipeline.sheet.google.refusals import Attempted, explained
from grader_pipeline.sheet.google.requests import (
    CELL_FIELDS,
    SHEET_FIELDS,
    Request,
    Sheet,
    columns_of,
    is_protected,
    lines_of,
    named,
    new_worksheet,
    own_sheet_id,
    room,
    sheet_id,
    statement,
)
from grader_pipeline.sheet.table import Table
from grader_pipeline.sheet.update import Found, Shown, Update, update

Wanted = Sequence[tuple[str, Table]]
"""Titles of worksheets, and what each shall show."""

_BAD_REQUEST = 400


@dataclass(frozen=True)
class Spreadsheet:
    """One spreadsheet, as one account sees it."""

    client: gspread.Client
    id: str
    name: str
    account: str

    def show(self, tables: Wanted) -> Shown:
        """Bring the worksheets up to date, each table on the worksheet named beside it.

        Raises PermanentFailure or TransientFailure; what the sheet showed is then whole.
        """
        plan = self._plan(self._read(_widths(tables)), tables)
        if plan.requests:
            try:
                self._write(plan.requests)
            except Refused as refusal:
                self._look_again(refusal, plan, tables)
        url = WORKSHEET_DRIVE_URL % (self.id, plan.sheet_ids[0])
        return Shown(url, plan.rows, plan.cells, bool(plan.requests))

    def probe(self, title: str, width: int) -> Sequence[Found]:
        """Read our columns, and ask for a change that changes nothing but needs the right to.

        Raises PermanentFailure or TransientFailure as a write would.
        """
        sheets = self._read({title: width})
        sheet = named(sheets, title)
        shown = sheet or sheets[0]
        frozen = shown["properties"].get("gridProperties", {}).get("frozenRowCount", 0)
        same = {"sheetId": sheet_id(shown), "gridProperties": {"frozenRowCount": frozen}}
        fields = "gridProperties.frozenRowCount"
        try:
            self._write([{"updateSheetProperties": {"properties": same, "fields": fields}}])
        except Refused as refusal:
            raise self._failure(refusal, writing=True) from None
        return lines_of(sheet, width) if sheet else ()

    def _look_again(self, refusal: Refused, plan: "_Plan", tables: Wanted) -> None:
        """Plan anew after a refused write: the sheet has perhaps changed since it was read.

        Perhaps it was we: a try that had arrived, though its answer was lost, makes the
        next one wrong where a worksheet or a chart was added.
        """
        if refusal.status != _BAD_REQUEST:
            raise self._failure(refusal, writing=True) from None
        newer = self._plan(self._read_in_two_steps(_widths(tables)), tables)
        if newer.requests == plan.requests:
            raise self._failure(refusal, writing=True) from None
        if newer.requests:
            try:
                self._write(newer.requests)
            except Refused as second:
                raise self._failure(second, writing=True) from None

    def _read(self, widths: dict[str, int]) -> list[Sheet]:
        """Read the named worksheets that exist, as many columns of each as are ours."""
        ranges = [columns_of(title, width) for title, width in widths.items()]
        try:
            return self._get(f"sheets({SHEET_FIELDS},{CELL_FIELDS})", ranges)
        except Refused as refusal:
            if refusal.status != _BAD_REQUEST:
                raise self._failure(refusal) from None
        return self._read_in_two_steps(widths)

    def _read_in_two_steps(self, widths: dict[str, int]) -> list[Sheet]:
        """All worksheets, then the cells of ours: for when one of ours is missing or narrow."""
        try:
            sheets = self._get(f"sheets({SHEET_FIELDS})", [])
            ranges = []
            for title, width in widths.items():
                if sheet := named(sheets, title):
                    there = sheet["properties"].get("gridProperties", {}).get("columnCount", width)
                    ranges.append(columns_of(sheet["properties"]["title"], min(width, there)))
            read = self._get(f"sheets(properties(sheetId),{CELL_FIELDS})", ranges) if ranges else []
        except Refused as refusal:
            raise self._failure(refusal) from None
        cells = {sheet_id(sheet): sheet.get("data", []) for sheet in read}
        return [sheet | {"data": cells.get(sheet_id(sheet), [])} for sheet in sheets]

    def _get(self, fields: str, ranges: list[str]) -> list[Sheet]:
        params: ParamsType = {"fields": fields, "ranges": ranges}
        document = self.client.http_client.spreadsheets_get(self.id, params)
        return list(document.get("sheets", []))

    def _write(self, requests: list[Request]) -> None:
        self.client.http_client.batch_update(self.id, {"requests": requests})

    def _failure(self, refusal: Refused, *, writing: bool = False) -> dg.Failure:
        what = f"the spreadsheet «{self.name}»"
        return explained(refusal, Attempted(self.account, what, writing))

    def _plan(self, sheets: list[Sheet], tables: Wanted) -> "_Plan":
        # A chart may have been moved to a sheet of its own: look for it everywhere.
        charts = [chart for sheet in sheets for chart in sheet.get("charts", ())]
        requests: list[Request] = []
        sheet_ids, rows, cells = [], 0, 0
        for title, table in tables:
            sheet = named(sheets, title)
            ident = sheet_id(sheet) if sheet else own_sheet_id(title)
            change = self._change(sheet, title, table)
            requests += room(sheet, table, change) if sheet else new_worksheet(title, table, change)
            if change.cells:
                requests.append(statement(ident, table.columns, change))
            if table.chart:
                columns, lines = len(table.columns), len(change.lines)
                requests += chart_requests(table.chart, ident, columns, lines, charts)
            sheet_ids.append(ident)
            rows += len(change.lines) - 1
            cells += change.cells
        return _Plan(requests, sheet_ids, rows, cells)

    def _change(self, sheet: Sheet | None, title: str, table: Table) -> Update:
        where = f"the worksheet «{title}» of «{self.name}»"
        change = update(table, lines_of(sheet, len(table.columns)) if sheet else [], where)
        if sheet and change.cells and is_protected(sheet, change):
            raise PermanentFailure(
                f"Protected: our columns in {where} are protected, and {self.account} is not "
                "among the editors. Nothing was changed. Add that address to the editors of the "
                "protected range, or lift the protection, and run the day again."
            )
        return change


def _widths(tables: Wanted) -> dict[str, int]:
    return {title: len(table.columns) for title, table in tables}


@dataclass(frozen=True)
class _Plan:
    requests: list[Request]
    sheet_ids: list[int]
    rows: int
    cells: int
