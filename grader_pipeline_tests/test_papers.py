"""The papers: README and docs."""

import re
from collections import Counter

from grader_pipeline_tests.wheel import CHECKOUT

_PAPERS = [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]


def test_no_table_has_two_rows_about_one_thing() -> None:
    """What a careless merge leaves. A command may be written with or without its folder."""
    for paper in _PAPERS:
        tables = re.findall(r"(?:^\|.*\n)+", paper.read_text(encoding="utf-8"), re.MULTILINE)
        for table in tables:
            cells = [row.split("|")[1].strip() for row in table.splitlines()]
            # "- …" is a part of the row above.
            things = [cell for cell in cells if cell and not cell.startswith("- ")]
            about = Counter(thing.replace(".venv/bin/", "") for thing in things)
            assert max(about.values(), default=1) == 1, (paper.name, about.most_common(3))
