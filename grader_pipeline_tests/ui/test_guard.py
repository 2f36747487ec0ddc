"""The UI takes orders only from pages that it served, and programs' orders as before."""

from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from grader_pipeline.ui.hosts import refusal

START = {"query": "mutation { __typename }"}


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_UI_HOSTS", "ui.school.example, 10.0.0.7")


@pytest.fixture
def served(hosts: None, ui: httpx.Client) -> Iterator[httpx.Client]:
    yield ui


def authority(ui: httpx.Client) -> str:
    return f"{ui.base_url.host}:{ui.base_url.port}"


def test_orders_of_pages_that_the_ui_did_not_serve_are_refused_and_all_others_taken(
    served: httpx.Client,
) -> None:
    own = authority(served)
    for headers, status in (
        ({}, 200),
        ({"Origin": f"http://{own}"}, 200),
        ({"Host": "localhost:3000", "Origin": "http://localhost:3000"}, 200),
        ({"Host": "[::1]:3000", "Origin": "http://[::1]:3000"}, 200),
        ({"Host": "ui.school.example", "Origin": "https://ui.school.example"}, 200),
        ({"Host": "UI.school.example:443", "Origin": "https://ui.school.example"}, 200),
        ({"Host": "localhost", "Origin": "https://ui.school.example"}, 200),
        ({"Host": "10.0.0.7"}, 200),
        ({"Host": "attacker.example"}, 403),
        ({"Host": "localhost.attacker.example"}, 403),
        ({"Host": "ui.school.example@attacker.example"}, 403),
        ({"Host": ""}, 403),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Origin": f"http://{own}.attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "file://"}, 403),
    ):
        answer = served.post("/graphql", json=START, headers=headers)
        assert answer.status_code == status, headers


def test_a_query_in_an_address_starts_nothing_and_pages_are_served(served: httpx.Client) -> None:
    for path in ("/graphql", "/graphql/"):
        answer = served.get(path, params=START)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert served.get("/server_info").status_code == 200
    assert "<html" in served.get("/runs", follow_redirects=True).text


def test_a_websocket_of_a_foreign_page_is_refused_before_it_opens(served: httpx.Client) -> None:
    address, protocol = f"ws://{authority(served)}/graphql", ["graphql-ws"]
    with connect(address, subprotocols=protocol, origin=f"http://{authority(served)}") as opened:  # type: ignore[arg-type]
        assert opened.subprotocol == "graphql-ws"
    for origin, host in (("https://attacker.example", None), (None, "attacker.example")):
        headers = {"Host": host} if host else {}
        with pytest.raises(InvalidStatus) as refused:
            connect(address, subprotocols=protocol, origin=origin, additional_headers=headers)  # type: ignore[arg-type]
        assert refused.value.response.status_code == 403


def test_pictures_are_not_given_to_a_foreign_name(served: httpx.Client) -> None:
    answer = served.get("/pictures/hours/2023-05-31.png", headers={"Host": "attacker.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.7", "school"])
def test_an_address_that_other_machines_reach_needs_the_names_of_the_ui(address: str) -> None:
    assert "GRADER_UI_HOSTS" in (refusal(address, ()) or "")
    assert refusal(address, ("ui.school.example",)) is None
    assert refusal("127.0.0.1", ()) is refusal("localhost", ()) is None
