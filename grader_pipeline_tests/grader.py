"""A grader for tests: elements as the API sends them, and a real HTTP server to answer them."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = Callable[[BaseHTTPRequestHandler], None]


def learner(name: object) -> str:
    """A learner's id as the API sends it, 32 hex characters; the same for the same name."""
    return hashlib.md5(str(name).encode(), usedforsecurity=False).hexdigest()


def attempt(
    created_at: str = "2023-05-31 09:16:11.313646",
    user: str = "3583bf109f8b458e13ae1ac9d85c396a",
    verdict: Any = None,
    *,
    url: str | None = "https://lms.example.org/grade_handler",
    task: str = "ca3ecf8e5f284c329eb7bd529e1a9f7e",
    course: str = "course-v1:School+DST-3.0+28FEB2021",
    **fields: Any,
) -> dict[str, Any]:
    """An element as the API sends it: a run, or with a verdict a submit."""
    passback = {
        "oauth_consumer_key": "",
        "lis_result_sourcedid": f"{course}:lms.example.org-{task}:{user}",
    }
    if url is not None:
        passback["lis_outcome_service_url"] = url
    return {
        "lti_user_id": user,
        "passback_params": repr(passback),
        "is_correct": verdict,
        "attempt_type": "run" if verdict is None else "submit",
        "created_at": created_at,
        **fields,
    }


class Grader:
    """The server. ``answer`` is called for each request.

    ``requests`` are their queries, ``paths`` what stood in their first lines, ``times`` when they
    came (monotonic seconds). ``go_on`` lets answers go on that :meth:`hold` holds back.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self.answer: Answer = rows([])
        self.go_on = threading.Event()
        grader = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                grader.requests.append(dict(parse_qsl(urlsplit(self.path).query)))
                grader.paths.append(self.path)
                grader.times.append(time.monotonic())
                # A client that gives up is what some tests are about.
                with suppress(ConnectionError):
                    grader.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/attempts"

    def hold(self, answer: Answer, seconds: float = 60) -> None:
        """Answer so once ``go_on`` is set, or after ``seconds``."""
        self.go_on.clear()
        self.answer = lambda request: (self.go_on.wait(seconds), answer(request))[1]


@contextmanager
def running() -> Iterator[Grader]:
    """A grader that answers until the block ends."""
    grader = Grader()
    thread = threading.Thread(target=grader.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield grader
    grader.server.shutdown()
    grader.server.server_close()


def body(content: bytes, status: int = 200, length: int | None = None, **headers: str) -> Answer:
    """Answer with these bytes, claiming ``length`` of them."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)
        if length is not None:
            request.close_connection = True

    return answer


def raw(content: bytes) -> Answer:
    """Answer with these bytes, status line, headers and all, and hang up."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(content)
        request.close_connection = True

    return answer


def rows(elements: list[Any]) -> Answer:
    """Answer with a JSON list of ``elements``."""
    return body(json.dumps(elements).encode())


def in_turn(*answers: Answer) -> Answer:
    """Answer each request in another way; the last one stays."""
    left = list(answers)

    def answer(request: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer
