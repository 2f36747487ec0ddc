"""The header of a report's file: a YAML block in the comment at its top, read once.

Errors name the file and the line, and say what to do.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from grader_pipeline.reports.declarations import check_declarations, read_declaration
from grader_pipeline.reports.definition import Report, ReportError, place

_COMMENT = re.compile(r"--\s+\S")
_KEY = re.compile(r"title|description|sheet|tab|details|chart|picture|plot|units|history")
_ABOUT_A_COLUMN = re.compile(r"(formerly|behind|unit|unusual) ([a-z_][a-z0-9_]*)")


def read_header(path: Path, lines: Sequence[str]) -> tuple[dict[str, Any], int]:
    """Read the comment at the top of a file: the fields of its report, and how long it is.

    The fields are texts, the declared ``columns``, what is said of a column (``formerly``,
    ``behind``, ``unit``, ``unusual``), and the ``lines`` of all of them. A comment without keys is
    no header. Raises ReportError.
    """
    comment = list(takewhile(_COMMENT.match, lines))
    block = "\n".join(line[3:] for line in comment)
    try:
        # Values stay texts, so that a title can be 2024 and `sheet: yes` is not true.
        found = yaml.compose(block, yaml.BaseLoader)
    except yaml.YAMLError as error:
        line, cause = _cause(error, block)
        raise ReportError(
            f"{place(path, line)}: not `-- key: value` in YAML ({cause}). Put a value into quotes "
            "if it has a colon or begins with a sign. End the header with an empty line or with "
            "`--`."
        ) from error
    if not isinstance(found, yaml.MappingNode):
        return {}, 0
    line_of: dict[str, int] = {}
    fields: dict[str, Any] = defaultdict(dict, lines=line_of)
    for key, value in found.value:
        line, name = key.start_mark.line + 1, str(key.value)
        if not _is_whole(value, block):
            raise ReportError(
                f"{place(path, line)}: YAML reads the value otherwise than it is written. Put it "
                "into quotes."
            )
        text = value.value.strip()
        try:
            declared = read_declaration(name, text)
        except ValueError as error:
            raise ReportError(f"{place(path, line)}: {error}") from error
        about = _ABOUT_A_COLUMN.fullmatch(name)
        if not declared and not about and not _KEY.fullmatch(name):
            raise ReportError(f"{place(path, line)}: unknown key `{name}`.")
        if not text:
            raise ReportError(f"{place(path, line)}: `{name}` says nothing.")
        named = f"column {declared[0]}" if declared else name
        if named in line_of:
            raise ReportError(f"{place(path, line)}: a second `{named}`.")
        line_of[named] = line
        if declared:
            fields["columns"][declared[0]] = declared[1]
        elif about:
            labels = tuple(label.strip() for label in text.split("|"))
            fields[about[1]][about[2]] = labels if about[1] == "formerly" else text
        else:
            fields[name] = text
    if "chart" in fields and "picture" not in fields:
        fields["picture"], line_of["picture"] = fields["chart"], line_of["chart"]
    return fields, len(comment)


def report_of(path: Path, fields: Mapping[str, Any]) -> Report:
    """Make the report of a file from its fields. Raises ReportError."""
    try:
        report = Report.model_validate({"name": path.stem, "path": path, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        # An error of the whole is about the title.
        key = " ".join(map(str, first["loc"])) or "title"
        where = place(path, fields.get("lines", {}).get(key, 1))
        raise ReportError(f"{where}: {first['ctx']['error']}") from error
    check_declarations(report)
    return report


def _is_whole(value: yaml.Node, block: str) -> bool:
    """Whether a value is text and all of it: YAML drops a comment, a tag or an anchor."""
    if not isinstance(value, yaml.ScalarNode) or value.style is not None:
        return isinstance(value, yaml.ScalarNode)
    height = value.end_mark.line - value.start_mark.line + 1
    written = block[value.start_mark.index :].split("\n")[:height]
    return bool(" ".join(written).split() == value.value.split())


def _cause(error: yaml.YAMLError, block: str) -> tuple[int, str]:
    """The line that YAML cannot read, and why."""
    if isinstance(error, yaml.MarkedYAMLError):
        # An open quote or bracket is reported where it begins.
        begun = error.context_mark if "block" not in (error.context or "block") else None
        if mark := begun or error.problem_mark:
            return mark.line + 1, str(error.problem)
    # A character that YAML does not allow.
    return block.count("\n", 0, getattr(error, "position", 0)) + 1, str(error).splitlines()[0]
