"""Which worksheet of a workbook belongs to which table, also if readers have renamed or moved it.

A name that only the worksheet has, and that programs do not show, says it.
"""

from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.workbook.child import INVALID_TITLE_REGEX
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

_MARK = "grader_pipeline_worksheet"


def find_worksheet(book: Workbook, title: str) -> Worksheet | None:
    """Find the worksheet that is marked with that title, else the one of that name."""
    wanted = _allowed(title).casefold()
    titled = [sheet for sheet in book.worksheets if sheet.title.casefold() == wanted]
    marked = [sheet for sheet in book.worksheets if _mark(sheet) == _quoted(title)]
    # A copy of a worksheet has the mark too.
    both = [sheet for sheet in titled if sheet in marked]
    return next(iter([*both, *marked, *titled]), None)


def new_worksheet(
    book: Workbook, title: str, there: Sequence[Worksheet | None], place: int
) -> Worksheet:
    """Make a worksheet: after the one before it in ``there``, which has them in our order."""
    before = [book.index(sheet) + 1 for sheet in there[:place] if sheet]
    after = [book.index(sheet) for sheet in there[place + 1 :] if sheet]
    return book.create_sheet(
        _allowed(title), next(iter([*before[::-1], *after, len(book.sheetnames)]))
    )


def mark_worksheet(sheet: Worksheet, title: str) -> bool:
    """Mark the worksheet. True if it was not marked before."""
    if _mark(sheet) == _quoted(title):
        return False
    sheet.defined_names[_MARK] = DefinedName(_MARK, attr_text=_quoted(title), hidden=True)
    return True


def _allowed(title: str) -> str:
    """The title without the signs that a workbook does not allow in one."""
    return str(INVALID_TITLE_REGEX.sub("-", title))


def _mark(sheet: Worksheet) -> str | None:
    mark = sheet.defined_names.get(_MARK)
    return mark.attr_text if mark else None


def _quoted(title: str) -> str:
    return '"' + title.replace('"', '""') + '"'
