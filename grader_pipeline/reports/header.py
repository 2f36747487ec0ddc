"""The header of a report's file: a YAML block in the comment at its top, read once.

Errors name the file and the line, and say what to do.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from grader_pipeline.reports.definition import Label, Report, ReportError, place

_COMMENT = re.compile(r"--\s+\S")
_KEY = re.compile(r"title|description|sheet|chart|picture|history"
                  r"|column ([a-z_][a-z0-9_]*)(?: of ([a-z_][a-z0-9_]*))?")  # fmt: skip


def read_header(path: Path, lines: Sequence[str]) -> tuple[dict[str, Any], int]:
    """Read the comment at the top of a file: the fields of its report, and how long it is.

    The fields are texts, the labelled ``columns``, and the ``lines`` of all of them. A comment
    without keys is no header. Raises ReportError.
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
    columns: dict[str, Label] = {}
    fields: dict[str, Any] = {"lines": line_of, "columns": columns}
    for key, value in found.value:
        line, match = key.start_mark.line + 1, _KEY.fullmatch(str(key.value))
        if not match:
            raise ReportError(f"{place(path, line)}: unknown key `{key.value}`.")
        name = f"column {match[1]}" if match[1] else key.value
        if name in line_of:
            raise ReportError(f"{place(path, line)}: a second `{name}`.")
        if not _is_whole(value, block):
            raise ReportError(
                f"{place(path, line)}: YAML reads the value otherwise than it is written. Put it "
                "into quotes."
            )
        if not value.value.strip():
            raise ReportError(f"{place(path, line)}: `{key.value}` says nothing.")
        line_of[name], text = line, value.value.strip()
        if match[1]:
            columns[match[1]] = Label(text, match[2])
        else:
            fields[name] = text
    if "chart" in fields and "picture" not in fields:
        fields["picture"], line_of["picture"] = fields["chart"], line_of["chart"]
    return fields, len(comment)


def report_of(path: Path, fields: Mapping[str, Any]) -> Report:
    """Make the report of a file from its fields. Raises ReportError."""
    try:
        return Report.model_validate({"name": path.stem, "path": path, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        # An error of the whole is about the title.
        key = str((*first["loc"], "title")[0])
        where = place(path, fields.get("lines", {}).get(key, 1))
        raise ReportError(f"{where}: {first['ctx']['error']}") from error


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
