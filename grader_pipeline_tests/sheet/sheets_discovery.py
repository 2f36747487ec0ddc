"""Checks requests by Google's own description of the Sheets API (the discovery document)."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

GLOBAL_PARAMETERS = {"fields", "alt", "prettyPrint", "quotaUser", "key"}
TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list}


class Invalid(Exception):  # noqa: N818
    """The request does not exist in the API, or not in this form."""


@cache
def document() -> dict[str, Any]:
    documents = files("googleapiclient") / "discovery_cache" / "documents"
    return json.loads((documents / "sheets.v4.json").read_text(encoding="utf-8"))


def check_parameters(method: str, given: dict[str, list[str]]) -> None:
    spreadsheets = document()["resources"]["spreadsheets"]
    of, _, name = method.rpartition(".")
    methods = (spreadsheets["resources"][of] if of else spreadsheets)["methods"]
    known = methods[name]["parameters"]
    for name, values in given.items():
        if name not in known and name not in GLOBAL_PARAMETERS:
            raise Invalid(f'Unknown name "{name}": Cannot bind query parameter.')
        if len(values) > 1 and not known.get(name, {}).get("repeated"):
            raise Invalid(f'Query parameter "{name}" is given twice.')


def check_body(schema: str, value: object, path: str = "") -> None:
    """See that the value has the schema's fields only, each of its type and enumeration."""
    _check({"$ref": schema}, value, path or schema)


def _check(schema: dict[str, Any], value: object, path: str) -> None:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    kind = schema["type"]
    if kind == "object":
        if not isinstance(value, dict):
            raise Invalid(f"{path} must be an object")
        for name, part in value.items():
            if name not in schema.get("properties", {}):
                raise Invalid(f'Invalid JSON payload received. Unknown name "{name}" at {path}')
            _check(schema["properties"][name], part, f"{path}.{name}")
        return
    if kind == "array":
        if not isinstance(value, list):
            raise Invalid(f"{path} must be a list")
        for index, part in enumerate(value):
            _check(schema["items"], part, f"{path}[{index}]")
        return
    if kind == "number":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = type(value) is TYPES[kind]
    if not fits:
        raise Invalid(f"{path} must be of type {kind}, not {value!r}")
    if "enum" in schema and value not in schema["enum"]:
        raise Invalid(f"{path}: {value!r} is not one of {schema['enum']}")


def parse_mask(mask: str) -> dict[str, Any]:
    """A field mask as a tree: ``a(b,c.d)`` is ``{"a": {"b": {}, "c": {"d": {}}}}``."""
    tree: dict[str, Any] = {}
    rest = _parse_level(mask, tree)
    if rest:
        raise Invalid(f"Request contains an invalid field mask near {rest!r}")
    return tree


def _parse_level(text: str, tree: dict[str, Any]) -> str:
    while True:
        found = re.match(r"[A-Za-z*]+(\.[A-Za-z]+)*", text)
        if not found:
            raise Invalid(f"Request contains an invalid field mask near {text!r}")
        node = tree
        for name in found.group().split("."):
            node = node.setdefault(name, {})
        text = text[found.end() :]
        if text.startswith("("):
            text = _parse_level(text[1:], node)
            if not text.startswith(")"):
                raise Invalid("Request contains an invalid field mask: a bracket is open")
            text = text[1:]
        if not text.startswith(","):
            return text
        text = text[1:]


def check_mask(schema: str, mask: dict[str, Any]) -> None:
    """See that the schema has the fields that the mask names."""
    properties = document()["schemas"][schema]["properties"]
    for name, inner in mask.items():
        if name == "*":
            continue
        if name not in properties:
            raise Invalid(f"Invalid field: {name} is not a field of {schema}")
        part = properties[name]
        part = part.get("items", part)
        if inner:
            check_mask(part["$ref"], inner)


def masked(value: Any, mask: dict[str, Any]) -> Any:
    """What a field mask leaves of an answer."""
    if not mask:
        return value
    if isinstance(value, list):
        return [masked(part, mask) for part in value]
    return {name: masked(value[name], inner) for name, inner in mask.items() if name in value}
