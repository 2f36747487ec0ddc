"""deploy/helm-values.yaml: what Dagster's chart takes, with the product's commands and names."""

import json
import re
from pathlib import Path
from typing import Any

import dagster as dg
import jsonschema
import pytest
import yaml
from dagster._cli import api
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher

from grader_pipeline.roles import instance
from grader_pipeline.runs.dagster_schema import SCHEMA
from grader_pipeline_tests.deploy.product import parsed, unknown
from grader_pipeline_tests.deploy.test_lock import LOCK, pins
from grader_pipeline_tests.wheel import CHECKOUT

FILE = CHECKOUT / "deploy" / "helm-values.yaml"
CHART = Path(__file__).parent / "data" / "dagster-chart-values.json"


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return found


@pytest.fixture(scope="module")
def pods(values: dict[str, Any]) -> list[dict[str, Any]]:
    (code,) = values["dagster-user-deployments"]["deployments"]
    return [code, values["dagsterWebserver"], values["dagsterDaemon"]]


def test_the_chart_takes_each_value(values: dict[str, Any]) -> None:
    schema = json.loads(CHART.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    check = jsonschema.Draft7Validator(schema).validate
    check(values)
    for broken in (
        {"runLauncher": {"type": "K8sRunLauncher", "config": {}}},
        {"dagsterWebserver": {"envSecret": []}},
        {"computeLogManager": {"type": "none"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check(broken)


def test_the_chart_is_that_of_the_locked_dagster() -> None:
    versions = {version for name, version in pins(LOCK.read_text()) if name == "dagster"}
    named = set(re.findall(r"--version (\S+)|version ([\d.]+\d)", FILE.read_text()))
    assert {version for pair in named for version in pair if version} == versions


def test_the_run_launcher_takes_its_configuration(values: dict[str, Any]) -> None:
    """As the chart's template writes it into dagster.yaml."""
    given = values["runLauncher"]["config"]["k8sRunLauncher"]
    parts = {"jobSpecConfig": "job_spec_config", "podSpecConfig": "pod_spec_config"}
    config = {
        "load_incluster_config": given["loadInclusterConfig"],
        "image_pull_policy": given["imagePullPolicy"],
        "env_secrets": [secret["name"] for secret in given["envSecrets"]],
        "run_k8s_config": {parts[key]: part for key, part in given["runK8sConfig"].items()},
        "dagster_home": values["global"]["dagsterHome"],
        "instance_config_map": "grader-dagster-instance",
        "postgres_password_secret": values["global"]["postgresqlSecretName"],
        "service_account_name": "grader-dagster",
    }
    done = process_config(dg.Shape(K8sRunLauncher.config_type()), config)
    assert done.success, done.errors


def test_the_code_is_served_under_its_usual_name(values: dict[str, Any]) -> None:
    (code,) = values["dagster-user-deployments"]["deployments"]
    (server,) = values["dagsterWebserver"]["workspace"]["servers"]
    assert server == {"host": code["name"], "port": code["port"], "name": instance.LOCATION}
    command = ["-h", "0.0.0.0", "-p", str(code["port"]), *code["dagsterApiGrpcArgs"]]
    taken = api.grpc_command.make_context("grpc", command).params
    assert taken["module_name"] in ("grader_pipeline.definitions", ("grader_pipeline.definitions",))
    assert taken["location_name"] == instance.LOCATION


def test_the_database_is_prepared_by_the_product(values: dict[str, Any]) -> None:
    (first,) = values["migrate"]["initContainers"]
    program, *arguments = first["command"]
    assert (program, parsed(arguments).command) == ("grader-pipeline", "migrate")
    assert values["postgresql"]["postgresqlParams"] == {"options": f"-csearch_path={SCHEMA}"}
    image = values["dagsterWebserver"]["image"]
    assert first["image"] == f"{image['repository']}:{image['tag']}"
    target = re.findall(r"(?m)^FROM \S+ AS (\S+)$", (FILE.parent / "Containerfile").read_text())
    assert image["tag"] in target


def test_its_settings_are_those_of_the_product_and_secrets_have_only_names(
    values: dict[str, Any], pods: list[dict[str, Any]]
) -> None:
    for pod in (*pods, *values["migrate"]["initContainers"]):
        named = {variable["name"] for variable in pod["env"]}
        assert unknown({name for name in named if not name.startswith("DAGSTER_")}) == set()
        assert all(name in instance_variables() for name in named if name.startswith("DAGSTER_"))
    assert "postgresqlPassword" not in values["postgresql"]
    assert values["generatePostgresqlPasswordSecret"] is False


def instance_variables() -> set[str]:
    source = Path(instance.__file__).read_text()
    return set(re.findall(r'"(DAGSTER_\w+)":', source))


def test_no_pod_is_root_or_can_write_to_the_image(pods: list[dict[str, Any]]) -> None:
    user = re.findall(r"(?m)^USER (\d+)", (FILE.parent / "Containerfile").read_text())
    for pod in pods:
        assert pod["podSecurityContext"]["runAsNonRoot"]
        assert user == [str(pod["podSecurityContext"]["runAsUser"])]
        assert pod["securityContext"]["readOnlyRootFilesystem"]
        mounted = {mount["mountPath"] for mount in pod["volumeMounts"]}
        assert {"/tmp", "/var/lib/grader-pipeline"} <= mounted
