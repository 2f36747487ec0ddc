"""What Dagster's processes are given."""

from typing import Any

import pytest
import sqlalchemy
import yaml
from psycopg.conninfo import make_conninfo

from grader_pipeline.roles.instance import instance_url, write_home
from grader_pipeline.runs.celery_app import VISIBILITY_SECONDS
from grader_pipeline.settings import Settings
from grader_pipeline_tests.broker import BESIDE


def test_a_database_url_keeps_its_odd_characters_on_the_way_to_dagster() -> None:
    given = make_conninfo(
        host="db.example.org", port=5433, user="u@x", password="p:/?#[]@ %ü", dbname="a b",
        sslmode="require", options="-c work_mem=8MB",
    )  # fmt: skip
    url = sqlalchemy.make_url(instance_url(given))
    assert (url.username, url.password, url.database) == ("u@x", "p:/?#[]@ %ü", "a b")
    given_on = {"host", "port", "sslmode", "options"}
    assert {name: value for name, value in url.query.items() if name in given_on} == {
        "host": "db.example.org",
        "port": "5433",
        "sslmode": "require",
        "options": "-c work_mem=8MB",
    }
    assert url.query["tcp_user_timeout"] == "25000"


def written(monkeypatch: pytest.MonkeyPatch, broker: str) -> dict[str, Any]:
    """The dagster.yaml that a role writes."""
    for name, value in {**BESIDE, "GRADER_BROKER_URL": broker}.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    write_home(settings)
    content: dict[str, Any] = yaml.safe_load((settings.dagster_home / "dagster.yaml").read_text())
    return content


def test_with_a_broker_all_that_dagster_yaml_sets_is_set_too_and_no_secret_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without, having = written(monkeypatch, ""), written(monkeypatch, "redis://:a-secret@host/0")
    assert without.keys() == having.keys()
    for section in ("run_monitoring", "concurrency"):
        assert having[section].keys() >= without[section].keys()
    assert having["run_launcher"] != without["run_launcher"]
    assert "a-secret" not in str(having)


def test_no_run_lasts_so_long_that_the_broker_gives_it_to_another_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monitoring = written(monkeypatch, "redis://host/0")["run_monitoring"]
    assert 0 < monitoring["max_runtime_seconds"] < VISIBILITY_SECONDS
