"""Which worksheet of a spreadsheet belongs to which table, also after readers have renamed it."""

from collections.abc import Sequence

from grader_pipeline.sheet.google.batch_update import Sheet, own_sheet_id, sheet_id

MARK = "grader_pipeline worksheet"
"""The key of the developer metadata that says which of our worksheets a worksheet is."""


def is_marked(sheet: Sheet, title: str) -> bool:
    """Whether the worksheet has the mark of that title."""
    notes = sheet.get("developerMetadata", ())
    return any((note["metadataKey"], note.get("metadataValue")) == (MARK, title) for note in notes)


def find_worksheet(sheets: Sequence[Sheet], title: str) -> Sheet | None:
    """Find the worksheet that is marked with that title, whatever its name is now.

    Otherwise the one that we made without a mark, or one of that name.
    """

    def is_titled(sheet: Sheet) -> bool:
        return str(sheet["properties"].get("title", "")).casefold() == title.casefold()

    marked = [sheet for sheet in sheets if is_marked(sheet, title)]
    # A copy of a worksheet may have the mark too.
    candidates = marked or [sheet for sheet in sheets if is_titled(sheet)]
    own = [sheet for sheet in candidates or sheets if sheet_id(sheet) == own_sheet_id(title)]
    return next(iter([*own, *filter(is_titled, candidates), *candidates]), None)
