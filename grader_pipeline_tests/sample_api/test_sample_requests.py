"""What the sample grader answers to good, bad and unwelcome requests."""

import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize("path", ["", "api/grader/", "api/grader/attempts"])
def test_any_path_gives_a_flat_json_list(grader, path):
    answer = grader.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), list)
    assert answer.json()


def test_a_school_without_attempts_gives_an_empty_list(start_grader):
    assert start_grader("--rows", "0").get().json() == []


@pytest.mark.parametrize("name", ["client", "client_key", "start", "end"])
def test_a_missing_parameter_is_named(grader, name):
    answer = grader.get(**{name: None})
    assert answer.status_code == 400
    assert answer.json() == {"errors": {name: "missing"}}


@pytest.mark.parametrize("name", ["start", "end"])
@pytest.mark.parametrize(
    "text",
    [
        "2023-05-31",
        "2023-05-31 09:00:00",
        "2023-05-31T09:00:00.000000",
        "2023-05-31 09:00:00.000000+03:00",
        "2023-02-30 09:00:00.000000",
        "now",
    ],
)
def test_a_time_in_any_other_form_is_refused(grader, name, text):
    answer = grader.get(**{name: text})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {name}


def test_an_end_before_its_start_is_refused(grader):
    answer = grader.get(end="2023-05-31 08:59:59.999999")
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"end": "before start"}}


@pytest.mark.parametrize("wrong", [{"client": "another"}, {"client_key": "guessed"}])
def test_a_wrong_client_or_key_is_forbidden_and_not_repeated(grader, wrong):
    answer = grader.get(**wrong)
    assert answer.status_code == 403
    assert "errors" in answer.json()
    assert not any(text in answer.text for text in wrong.values())


def test_client_and_key_are_those_of_the_command_line(start_grader):
    own = start_grader("--client", "school", "--client-key", "s3")
    assert own.get().status_code == 403
    assert own.get(client="school", client_key="s3").status_code == 200


def test_an_empty_key_lets_everybody_in(start_grader):
    assert start_grader("--client-key", "").get(client="x", client_key="y").status_code == 200


def test_latency_passes_before_an_answer_starts(start_grader):
    slow = start_grader("--latency", "0.4")
    asked = time.monotonic()
    assert slow.get().status_code == 200
    assert time.monotonic() - asked >= 0.4


def test_a_taken_port_is_said_with_what_to_do(grader):
    port = grader.url.rstrip("/").rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-m", "grader_pipeline.sample_api", "--port", port],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert port in second.stderr
    assert "--port 0" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_share_of_dirt_above_one_is_refused():
    refused = subprocess.run(
        [sys.executable, "-m", "grader_pipeline.sample_api", "--dirty", "3"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert "not between 0 and 1" in refused.stderr
