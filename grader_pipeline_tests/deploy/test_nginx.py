"""deploy/nginx.conf in front of the UI's guard: who is let in, and what reaches the UI."""

import asyncio
import base64
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from grader_pipeline.ui.guard import Guard
from grader_pipeline_tests.waiting import eventually
from grader_pipeline_tests.wheel import CHECKOUT

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]

CONF = (CHECKOUT / "deploy" / "nginx.conf").read_text()
OPERATORS, READERS = "ui.school.example", "look.school.example"
LETTERS = {OPERATORS: ("operator", "open"), READERS: ("reader", "look")}
ORDER = {"query": "mutation { __typename }"}


class Site:
    """nginx with the file of deploy/, and a UI of each kind behind it."""

    def __init__(self, port: int, plain_port: int, context: ssl.SSLContext) -> None:
        self.port, self.plain_port, self.context = port, plain_port, context

    def ask(self, method: str, name: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request for a page of a name, with the name's password."""
        headers = {"Host": f"{name}:{self.port}", **options.pop("headers", {})}
        options.setdefault("auth", LETTERS.get(name))
        with httpx.Client(verify=self.context, base_url=f"https://127.0.0.1:{self.port}") as client:
            return client.request(
                method, path, headers=headers, extensions={"sni_hostname": OPERATORS}, **options
            )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The running site. Ports and the places of files are those of the test."""
    folder = tmp_path_factory.mktemp("nginx")
    authority = trustme.CA()
    certificate = authority.issue_cert(OPERATORS, READERS)
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    for name, (user, word) in LETTERS.items():
        hashed = subprocess.run(
            ["openssl", "passwd", "-apr1", word], capture_output=True, text=True, check=True
        ).stdout
        (folder / name).write_text(f"{user}:{hashed}")
    with served("operators") as ui, served("readers") as read_only:
        port, plain_port = free_port(), free_port()
        mine = {
            "/etc/nginx/grader-tls/fullchain.pem": folder / "both.pem",
            "/etc/nginx/grader-tls/privkey.pem": folder / "both.pem",
            "/etc/nginx/grader-operators": folder / OPERATORS,
            "/etc/nginx/grader-readers": folder / READERS,
            "127.0.0.1:3000": f"127.0.0.1:{ui}",
            "127.0.0.1:3001": f"127.0.0.1:{read_only}",
            "listen 80": f"listen {plain_port}",
            "listen 443": f"listen {port}",
        }
        conf = CONF
        for theirs, own in mine.items():
            assert theirs in conf
            conf = conf.replace(theirs, str(own))
        (folder / "site.conf").write_text(conf)
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        command = [str(NGINX), "-c", str(folder / "nginx.conf"), "-e", str(folder / "errors")]
        subprocess.run([*command, "-t"], check=True)
        process = subprocess.Popen([*command, "-g", "daemon off;"])
        context = ssl.create_default_context()
        context.check_hostname = False
        authority.configure_trust(context)
        try:
            assert eventually(lambda: listens(port), 20)
            yield Site(port, plain_port, context)
        finally:
            process.terminate()
            process.wait(20)


MAIN = """\
# Root's nginx would give up the test's folder for another user.
user root;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
if os.geteuid():
    MAIN = re.sub(r"(?m)^(#|user ).*\n", "", MAIN)


@contextmanager
def served(name: str) -> Iterator[int]:
    """Serve the UI's guard over an application that says what reached it. Gives the port."""

    async def answer(request: Request) -> JSONResponse:
        return JSONResponse({"ui": name, "headers": dict(request.headers)})

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept(subprotocol="graphql-ws")
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()

    behind = Starlette(routes=[
        WebSocketRoute("/graphql", echo), Route("/{path:path}", answer, methods=["GET", "POST"])
    ])  # fmt: skip
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(Guard(behind, [OPERATORS, READERS]), port=port, log_level="warning")
    )
    thread = threading.Thread(target=asyncio.run, args=(server.serve(),))
    thread.start()
    try:
        assert eventually(lambda: server.started, 20)
        yield port
    finally:
        server.should_exit = True
        thread.join(20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", LETTERS)
@pytest.mark.parametrize("letters", [None, ("operator", "wrong")])
def test_without_the_right_password_nobody_sees_anything(
    site: Site, name: str, letters: tuple[str, str] | None
) -> None:
    for path in ("/", "/graphql", "/pictures/hours/2023-05-31.png", "/metrics/"):
        assert site.ask("GET", name, path, auth=letters).status_code == 401
    assert site.ask("POST", name, "/graphql", auth=letters, json=ORDER).status_code == 401


def test_the_password_of_readers_leads_to_the_ui_that_only_shows(site: Site) -> None:
    assert site.ask("GET", OPERATORS, "/").json()["ui"] == "operators"
    assert site.ask("GET", READERS, "/").json()["ui"] == "readers"
    refused = site.ask("POST", OPERATORS, "/graphql", json=ORDER, auth=LETTERS[READERS])
    assert refused.status_code == 401


@pytest.mark.parametrize("name", LETTERS)
def test_orders_of_the_served_page_pass_and_those_of_other_pages_do_not(
    site: Site, name: str
) -> None:
    own = f"https://{name}:{site.port}"
    for origin, status in ((own, 200), ("https://attacker.example", 403), ("null", 403)):
        answer = site.ask("POST", name, "/graphql", json=ORDER, headers={"Origin": origin})
        assert answer.status_code == status, origin
    assert site.ask("GET", name, "/graphql", params=ORDER).status_code == 405


def test_a_foreign_name_reaches_no_ui(site: Site) -> None:
    for host in ("attacker.example", "127.0.0.1", f"{OPERATORS}.attacker.example"):
        answer = site.ask(
            "POST", OPERATORS, "/graphql", json=ORDER, headers={"Host": f"{host}:{site.port}"}
        )
        assert answer.status_code == 421, host


def test_the_password_stays_with_nginx(site: Site) -> None:
    assert "authorization" not in site.ask("GET", OPERATORS, "/").json()["headers"]


@pytest.mark.parametrize("name", LETTERS)
def test_websockets_of_the_served_page_pass(site: Site, name: str) -> None:
    with opened(site, name, f"https://{name}:{site.port}") as websocket:
        assert websocket.subprotocol == "graphql-ws"
        websocket.send("subscription")
        assert websocket.recv() == "subscription"
    with pytest.raises(InvalidStatus) as refused:
        opened(site, name, "https://attacker.example")
    assert refused.value.response.status_code == 403


def opened(site: Site, name: str, origin: str) -> Any:
    letters = base64.b64encode(":".join(LETTERS[name]).encode()).decode()
    return connect(
        f"wss://{name}:{site.port}/graphql",
        sock=socket.create_connection(("127.0.0.1", site.port)),
        ssl=site.context,
        subprotocols=["graphql-ws"],  # type: ignore[list-item]
        origin=origin,  # type: ignore[arg-type]
        additional_headers={"Authorization": f"Basic {letters}"},
    )


def test_the_local_net_reads_metrics_without_a_password_and_the_internet_does_not(
    site: Site,
) -> None:
    assert site.ask("GET", OPERATORS, "/metrics", auth=None).json()["ui"] == "operators"
    assert site.ask("GET", READERS, "/metrics").status_code == 404
    allowed = re.findall(r"(?:allow|deny) +([\w./]+);", CONF)
    assert allowed == ["127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16", "all"]


def test_without_encryption_there_is_only_the_way_to_it(site: Site) -> None:
    headers = {"Host": f"{OPERATORS}:{site.plain_port}"}
    answer = httpx.get(f"http://127.0.0.1:{site.plain_port}/runs", headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{OPERATORS}/runs")
