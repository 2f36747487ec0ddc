"""What Dagster and its UI get: the graph of definitions, and what the catalogue says of it."""

import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr, ValidationError

from grader_pipeline.assets import GROUP, REPORTS_GROUP
from grader_pipeline.assets.step4_metrics import REPORTS
from grader_pipeline.definitions import ASSETS, build_defs
from grader_pipeline.settings import CODE_REFERENCES, Settings

TESTS = Path(__file__).parent
SNAPSHOT = TESTS / "snapshots" / "definitions.yaml"

RESOURCES = """{ allTopLevelResourceDetailsOrError(repositorySelector: {
    repositoryName: "__repository__", repositoryLocationName: "grader_pipeline.definitions" }) {
  ... on ResourceDetailsList { results { name description
    configuredValues { key value } configFields { name description } } } } }"""


def nodes(defs: dg.Definitions) -> dict[str, Any]:
    graph = defs.resolve_asset_graph()
    return {key.to_user_string(): graph.get(key) for key in graph.toposorted_asset_keys}


@pytest.mark.processes
def test_the_definition_graph_is_the_one_that_was_reviewed(tmp_path: Path) -> None:
    """A process of its own, because the calendar and the schedule are read when modules load."""
    found = subprocess.run(
        [sys.executable, "-P", str(TESTS / "definition_graph.py")],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    if os.environ.get("RENEW_SNAPSHOT"):
        SNAPSHOT.write_text(found)
    lines = SNAPSHOT.read_text().splitlines(), found.splitlines()
    difference = "\n".join(difflib.unified_diff(*lines, "snapshot", "now", lineterm=""))
    assert not difference, f"\n{difference}\nIf this is meant, run `make snapshot` and commit it."


def test_the_fixed_keys_are_one_group_and_the_reports_another() -> None:
    groups = {name: node.group_name for name, node in nodes(build_defs()).items()}
    assert groups == {
        **dict.fromkeys((asset.op.name for asset in ASSETS), GROUP),
        **dict.fromkeys(REPORTS, REPORTS_GROUP),
    }


def test_the_job_of_a_day_has_every_asset() -> None:
    defs = build_defs()
    job = defs.resolve_job_def("grader_day")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == set(
        nodes(defs)
    )


def test_each_table_has_one_asset_and_metrics_has_none() -> None:
    found = {
        name: node.metadata.get("dagster/table_name") for name, node in nodes(build_defs()).items()
    }
    tables = [table for table in found.values() if table]
    assert len(tables) == len(set(tables))
    assert {name: found[name] for name in REPORTS} == {name: name for name in REPORTS}
    assert found["metrics"] is None


def descriptions(defs: dg.Definitions) -> Iterator[tuple[str, str | None]]:
    for name, node in nodes(defs).items():
        yield f"asset {name}", node.description
    for asset in defs.assets or []:
        for check in asset.check_specs:
            yield f"check {check.name}", check.description
    for kind in ("jobs", "schedules", "sensors"):
        for definition in getattr(defs, kind) or []:
            yield f"{kind} {definition.name}", definition.description
    for name, resource in (defs.resources or {}).items():
        yield f"resource {name}", type(resource).__doc__
        for field, info in type(resource).model_fields.items():
            yield f"resource {name}, {field}", info.description


def test_everything_in_the_ui_is_described_in_english_without_raw_backticks() -> None:
    for what, text in descriptions(build_defs()):
        assert text, what
        assert not re.search("[`а-яё]", text, re.IGNORECASE), f"{what}: {text}"


def test_owners_and_tags_of_the_settings_are_those_of_every_asset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADER_OWNERS", "team:course-analytics, anna@school.org")
    monkeypatch.setenv("GRADER_TAGS", "domain=courses, team=analytics")
    for name, node in nodes(build_defs()).items():
        assert node.owners == ["team:course-analytics", "anna@school.org"], name
        assert {"domain": "courses", "team": "analytics"}.items() <= node.tags.items(), name


@pytest.mark.parametrize(
    ("setting", "value"),
    [("GRADER_OWNERS", "nobody"), ("GRADER_OWNERS", "team:"), ("GRADER_TAGS", "domain"),
     ("GRADER_TAGS", "a b=c"), ("GRADER_TAGS", f"{'x' * 64}=c")],
)  # fmt: skip
def test_owners_and_tags_that_dagster_refuses_are_an_error_of_their_setting(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    with pytest.raises(ValidationError, match=f"(?s){setting.lower()}.*write"):
        build_defs()


def test_assets_link_to_the_files_of_this_machine_in_dev_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "code_references" not in repr([node.metadata for node in nodes(build_defs()).values()])
    monkeypatch.setenv(CODE_REFERENCES, "1")
    for name, node in nodes(build_defs()).items():
        references = node.metadata["dagster/code_references"].code_references
        paths = [Path(reference.file_path) for reference in references]
        assert all(path.is_file() for path in paths)
        sql = [f"{name}.sql"] if name in REPORTS else []
        step = "metrics" if name in REPORTS else name
        assert [path.name for path in paths[:-1]] == sql
        assert paths[-1].name.endswith(f"_{step}.py")


@pytest.mark.processes
def test_resources_show_what_and_where_they_are_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, field in Settings.model_fields.items():
        if SecretStr in getattr(field.annotation, "__args__", ()):
            monkeypatch.setenv(name.upper(), f"s3cret-{name}")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:s3cret@db.example.org:6543/school")
    monkeypatch.setenv("GRADER_API_URL", "https://u:s3cret@api.example.org:8443/s3cret?key=s3cret")
    monkeypatch.setenv("GRADER_API_CLIENT", "school")
    monkeypatch.setenv("GRADER_STORAGE", "s3://u:s3cret@bucket/grader?token=s3cret")
    monkeypatch.setenv("GOOGLE_SHEETS_ID", "1aBcD")
    monkeypatch.setenv("SMTP_HOST", "smtp.example.org")
    graphql = Path(sys.executable).with_name("dagster-graphql")
    said = subprocess.run(
        [graphql, "--ephemeral-instance", "-m", "grader_pipeline.definitions", "-t", RESOURCES],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert "s3cret" not in said.stdout + said.stderr
    (line,) = [line for line in said.stdout.splitlines() if line.startswith("{")]
    details = json.loads(line)["data"]["allTopLevelResourceDetailsOrError"]["results"]
    assert all(resource["description"] for resource in details)
    where = {
        resource["name"]: json.loads(value["value"])
        for resource in details
        for value in resource["configuredValues"]
        if value["key"] == "where"
    }
    assert where == {
        "grader_api": "api.example.org:8443",
        "postgres": "database school at db.example.org, port 6543",
        "sheets": "Google spreadsheet 1aBcD",
        "mail": "smtp.example.org:465 (ssl)",
        "storage": "s3://bucket/grader",
    }


@pytest.mark.parametrize("setting", ["DATABASE_URL", "GRADER_API_URL", "GRADER_STORAGE"])
@pytest.mark.parametrize("value", ["postgresql://[s3cret", "https://[s3cret", "host s3cret"])
def test_an_address_that_cannot_be_read_stops_no_definitions(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv("GRADER_API_CLIENT", "school")
    monkeypatch.setenv("GRADER_API_CLIENT_KEY", "key")
    monkeypatch.setenv(setting, value)
    build_defs()
