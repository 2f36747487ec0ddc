"""What Google Sheets and the workbook share of looks: colours, formulas, folded columns."""

from grader_pipeline.reports.names import LONGEST_NAME
from grader_pipeline.sheet.table import Highlight, Table

HEADER_COLOUR = "E8EEF4"
UNUSUAL_COLOUR = "FCE5B6"
WRONG_COLOUR = "F8C9C4"
READERS_COLOUR = "FFFBE6"
"""Of cells that readers write."""

NAME_HINT = (
    f"Название курса или задания: только текст, до {LONGEST_NAME} знаков. С ближайшего отчёта оно "
    "будет показано вместо кода. Пустая ячейка — снова код."
)
"""Shown beside the cell where readers write a name."""

LARGE_SIZE = 14
"""The font of lines that are shown large, in points."""


def number_formula(mark: Highlight, cell: str) -> str:
    """The formula, without its ``=``, that is true of an unusual number in the cell.

    An empty cell is none. No formula here has a function of two values or a decimal sign: how these
    are written depends on the language of a spreadsheet.
    """
    numerator, denominator = float(mark.bound).as_integer_ratio()
    bound = f"{numerator}" if denominator == 1 else f"{numerator}/{denominator}"
    return f"ISNUMBER({cell})*({cell}{'<' if mark.kind == 'below' else '>'}{bound})"


def mark_hint(mark: Highlight) -> str:
    """What a mark means: the note of its column's header."""
    if mark.kind == "text":
        return f"Оранжевая отметка: в ячейке есть слова «{mark.bound}»."
    bound = f"{float(mark.bound):g}".replace(".", ",").replace("-", "−")
    return f"Оранжевая отметка: {'меньше' if mark.kind == 'below' else 'больше'} {bound}."


def wrong_name_formula(cell: str) -> str:
    """The formula, without its ``=``, that is true of a name that cannot be used."""
    return f"(LEN({cell})>{LONGEST_NAME})+(LEN({cell})>0)*(1-ISTEXT({cell}))>0"


def folded_columns(table: Table) -> list[tuple[int, int]]:
    """The places of neighbouring columns that are details, half-open."""
    groups: list[tuple[int, int]] = []
    for place, column in enumerate(table.columns):
        if column.is_detail and groups and groups[-1][1] == place:
            groups[-1] = (groups[-1][0], place + 1)
        elif column.is_detail:
            groups.append((place, place + 1))
    return groups
