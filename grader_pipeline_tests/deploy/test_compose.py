"""deploy/compose.yaml: it is a Compose file, and starts each role as the product takes it."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from grader_pipeline_tests.deploy.product import SERVED, parsed, unknown
from grader_pipeline_tests.wheel import CHECKOUT

FILE = CHECKOUT / "deploy" / "compose.yaml"
SCHEMA = Path(__file__).parent / "data" / "compose-spec.json"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return found


@pytest.fixture(scope="module")
def roles(compose: dict[str, Any]) -> dict[str, Any]:
    """The services that run the product's image."""
    return {name: it for name, it in compose["services"].items() if "grader" in it["image"]}


def test_it_is_what_the_specification_allows(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(compose)
    for broken in ({"services": {"ui": {"imagee": "x"}}}, {"services": []}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft7Validator(schema).validate(broken)


def test_each_role_has_a_service_and_is_asked_for_its_own_health(roles: dict[str, Any]) -> None:
    started = {name: parsed(service["command"]) for name, service in roles.items()}
    assert {chosen.command for chosen in started.values()} == {*SERVED, "migrate"}
    for name, chosen in started.items():
        if chosen.command == "migrate":
            continue
        kind, program, *asked = roles[name]["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "grader-pipeline")
        health = parsed(asked)
        assert (health.command, health.role) == ("health", chosen.command)
        if chosen.command == "ui":
            assert health.port == chosen.port


def test_its_settings_are_those_of_the_product(roles: dict[str, Any]) -> None:
    for name, service in roles.items():
        assert unknown(set(service["environment"])) == set(), name


def test_the_daemon_and_the_worker_of_one_machine_share_the_folder_of_sockets(
    roles: dict[str, Any],
) -> None:
    shared = {name for name, service in roles.items() if "sockets:/tmp" in service["volumes"]}
    assert shared == {"daemon", "worker"}
    for name, service in roles.items():
        # Each has a /tmp that it can write to, though not to the image.
        assert service["read_only"]
        assert (service["tmpfs"] == "/tmp") is (name not in shared)


def test_nothing_serves_before_the_database_is_prepared(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name, service in services.items():
        waits = service.get("depends_on", {})
        if name not in {"postgres", "redis", "migrate"}:
            assert waits["migrate"] == {"condition": "service_completed_successfully"}, name
        for other, how in waits.items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other]
            # A profile that is not active must not be waited for.
            profiles = set(services[other].get("profiles", service.get("profiles", [])))
            assert profiles == set(service.get("profiles", [])), (name, other)


def test_no_port_is_open_to_other_machines_and_no_secret_is_in_the_file(
    compose: dict[str, Any],
) -> None:
    for name, service in compose["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "privileged" not in service
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable:
                assert value.startswith("${"), variable


def test_it_names_each_volume_that_it_uses(compose: dict[str, Any]) -> None:
    used = {
        volume.partition(":")[0]
        for service in compose["services"].values() for volume in service.get("volumes", [])
    }  # fmt: skip
    assert used == set(compose["volumes"])
