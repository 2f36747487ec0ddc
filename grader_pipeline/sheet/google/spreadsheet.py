"""Google Sheets: read, then one request that writes what differs.

A write is one ``spreadsheets.batchUpdate``. Google applies all of it or nothing, so a reader never
sees half a write. A long first write is several of them, each with whole days. Rows are inserted,
so a request that was applied twice would show lines twice. Therefore a request whose answer was
lost is not sent again: the sheet is read first. And each write makes a note whose id follows from
the one before and from the content: Google refuses a second note with this id, and with it the
whole request.
"""

import datetime as dt
import json
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import gspread
from gspread.urls import WORKSHEET_DRIVE_URL

from grader_pipeline.failures import PermanentFailure
from grader_pipeline.sheet.cells import Found
from grader_pipeline.sheet.google.batch_update import (
    Request,
    enlarge,
    is_protected,
    line_requests,
    new_worksheet,
    own_sheet_id,
    sheet_id,
)
from grader_pipeline.sheet.google.chart import Place, chart_requests
from grader_pipeline.sheet.google.http import GoogleHTTP, LostAnswer, Refused
from grader_pipeline.sheet.google.looks import has_looks, look_requests
from grader_pipeline.sheet.google.reading import (
    WRITE,
    Book,
    Reader,
    Worksheet,
)
from grader_pipeline.sheet.google.refusals import explained
from grader_pipeline.sheet.google.tabs import MARK, is_marked
from grader_pipeline.sheet.table import Line, Table
from grader_pipeline.sheet.update import Update, Written, decide, settle

_BAD_REQUEST = 400

_ROOM = 12_000
"""So many new cells go into one request: about 1.5 MB. Google advises 2 MB at most."""


@dataclass(frozen=True)
class Plan:
    """A write: its requests, and what the sheet shows after it."""

    requests: list[Request]
    is_whole: bool
    cells: int
    lines: int
    first: int
    """The id of the first table's worksheet."""
    readers: dict[str, tuple[Line, ...]]


@dataclass(frozen=True)
class Spreadsheet:
    """One spreadsheet, as one account sees it."""

    client: gspread.Client
    id: str
    name: str
    account: str
    room: int = _ROOM

    def show(
        self, tables: Sequence[tuple[str, Table]], days: Collection[dt.date] | None = None
    ) -> Written:
        """Make the spreadsheet show the tables, each on the worksheet named beside it.

        ``days`` are those that may have changed; None: all. Days of which the sheet has another
        number of lines are written too.

        Raises PermanentFailure or TransientFailure. The sheet then shows whole days, perhaps not
        yet all of them.
        """
        written: dict[int, int] = {}
        with explained(self.account, f"the spreadsheet «{self.name}»"):
            http = cast(GoogleHTTP, self.client.http_client)
            plan = http.retrying(LostAnswer)(self._show, tables, days, written)
        url = WORKSHEET_DRIVE_URL % (self.id, plan.first)
        cells = sum(written.values())
        return Written(url, plan.lines, cells, bool(written), plan.readers)

    def probe(self, title: str, table: Table) -> Sequence[Found]:
        """Read our columns, and send a write that changes nothing but needs the right to write.

        Raises PermanentFailure or TransientFailure as a write does.
        """
        with explained(self.account, f"the spreadsheet «{self.name}»"):
            book = self._read([(title, table)], None)
            (worksheet,) = book.worksheets
            some = worksheet.sheet or book.sheets[0]
            frozen = some["properties"].get("gridProperties", {}).get("frozenRowCount", 0)
            same = {"sheetId": sheet_id(some), "gridProperties": {"frozenRowCount": frozen}}
            fields = "gridProperties.frozenRowCount"
            self._write([{"updateSheetProperties": {"properties": same, "fields": fields}}])
        return worksheet.found

    def _show(
        self,
        tables: Sequence[tuple[str, Table]],
        days: Collection[dt.date] | None,
        written: dict[int, int],
    ) -> Plan:
        """Read and write until the sheet shows the tables. Notes the cells of each write."""
        refused: list[Request] = []
        refusal = None
        while True:
            book = self._read(tables, days)
            plan = self._plan(book)
            if not plan.requests:
                return plan
            note, guard = _guard(book, plan.requests)
            requests = [*guard, *plan.requests]
            if refusal and requests == refused:
                raise refusal
            written[note] = plan.cells
            try:
                self._write(requests)
            except Refused as error:
                # The sheet may have changed since it was read, also by an earlier try whose answer
                # was lost: Google refuses to add the same note, worksheet or chart again.
                if error.status != _BAD_REQUEST:
                    raise
                refused, refusal = requests, error
                continue
            if plan.is_whole:
                return plan

    def _read(self, tables: Sequence[tuple[str, Table]], days: Collection[dt.date] | None) -> Book:
        reader = Reader(self.client, self.id)
        try:
            return reader.read(tables, days)
        except Refused as refusal:
            if refusal.status != _BAD_REQUEST:
                raise
        # Readers have renamed a worksheet between the first request and the second one.
        return reader.read(tables, days)

    def _write(self, requests: list[Request]) -> None:
        self.client.http_client.batch_update(self.id, {"requests": requests})

    def _plan(self, book: Book) -> Plan:
        """Make the requests of a write, and say what the sheet shows after it."""
        shown = self._updates(book)
        tabs = [sheet_id(sheet) for sheet in book.sheets]
        # Readers may have moved a chart to another worksheet.
        charts = [chart for sheet in book.sheets for chart in sheet.get("charts", ())]
        requests: list[Request] = []
        for place, (worksheet, update) in enumerate(shown):
            if worksheet.sheet is None:
                before, after = (
                    [tabs.index(ident) for w, _ in some if (ident := _ident(w)) in tabs]
                    for some in (shown[:place], shown[place + 1 :])
                )
                index = before[-1] + 1 if before else after[0] if after else len(tabs)
                tabs.insert(index, _ident(worksheet))
                requests += new_worksheet(worksheet.title, index, worksheet.table)
            requests += _requests(worksheet, update)
        requests += chart_requests(
            {w.title: Place(_ident(w), w.table, update) for w, update in shown}, charts
        )
        return Plan(
            requests,
            all(update.is_whole for _, update in shown),
            sum(update.cells for _, update in shown),
            sum(len(worksheet.table.lines) for worksheet, _ in shown),
            _ident(book.worksheets[0]),
            {
                worksheet.title: update.lines
                for worksheet, update in shown
                if any(column.by_readers for column in worksheet.table.columns)
            },
        )

    def _updates(self, book: Book) -> list[tuple[Worksheet, Update]]:
        """What has to change on each worksheet. Tables with few lines get room first."""
        room = self.room
        found: list[tuple[Worksheet, Update]] = []
        for worksheet in sorted(book.worksheets, key=lambda worksheet: len(worksheet.table.lines)):
            table, sheet = worksheet.table, worksheet.sheet
            if not table.lines and table.worksheet and not sheet:
                continue
            where = f"the worksheet «{worksheet.title}» of «{self.name}»"
            days = worksheet.days
            update = decide(table, worksheet.found, where, days=days, room=room)
            if sheet and update.cells and is_protected(sheet, table, update):
                raise PermanentFailure(
                    f"Protected: our columns in {where} are protected, and {self.account} is not "
                    "among the editors. Nothing was changed. Add that address to the editors of "
                    "the protected range, or lift the protection, and run the day again."
                )
            found.append((worksheet, update))
            room -= update.cells
        looked = Reader(self.client, self.id).look(
            [(worksheet, [*update.leaving, *update.changed]) for worksheet, update in found]
        )
        settled = [(w, settle(update, looked[w.title])) for w, update in found]
        return sorted(settled, key=lambda one: book.worksheets.index(one[0]))


def _requests(worksheet: Worksheet, update: Update) -> Iterator[Request]:
    """The requests for one worksheet, which is there or was made before."""
    table, sheet, ident = worksheet.table, worksheet.sheet, _ident(worksheet)
    if sheet:
        yield from enlarge(sheet, table, update)
    if not sheet or not is_marked(sheet, worksheet.title):
        yield _note(MARK, {"sheetId": ident}, worksheet.title)
    yield from line_requests(ident, table, update, worksheet.rows, worksheet.columns)
    is_new = not (sheet and has_looks(sheet))
    yield from look_requests(ident, table, update.end, is_new, sheet, update.header)


def _ident(worksheet: Worksheet) -> int:
    return sheet_id(worksheet.sheet) if worksheet.sheet else own_sheet_id(worksheet.title)


def _guard(book: Book, requests: list[Request]) -> tuple[int, list[Request]]:
    """The note of this write, with its id, instead of that of the one before."""
    content = json.dumps([sorted(book.writes), requests], sort_keys=True)
    ident = zlib.crc32(content.encode()) & 0x7FFFFFFF or 1
    note = _note(WRITE, {"spreadsheet": True}, ident=ident)
    old = [
        {
            "deleteDeveloperMetadata": {
                "dataFilter": {"developerMetadataLookup": {"metadataId": old}}
            }
        }
        for old in book.writes
    ]
    return ident, [note, *old]


def _note(
    key: str, location: dict[str, Any], value: str | None = None, ident: int | None = None
) -> Request:
    note: dict[str, Any] = {"metadataKey": key, "visibility": "DOCUMENT", "location": location}
    note |= {} if value is None else {"metadataValue": value}
    note |= {} if ident is None else {"metadataId": ident}
    return {"createDeveloperMetadata": {"developerMetadata": note}}
