"""A real HTTP server that takes messages as webhooks of a chat do. Its answers can be chosen."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "token-that-nobody-may-see"


class Hooks:
    """``received`` are the places and the JSON of messages, ``answers`` a status by place."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, int] = {}
        self.before_answering: Callable[[], object] = lambda: None
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                place = self.path.rstrip("/").rpartition("/")[2]
                hooks.received.append((place, json.loads(content)))
                hooks.before_answering()
                self.send_response(hooks.answers.get(place, 200))
                # What a server says may have the secret in it.
                self.end_headers()
                self.wfile.write(self.path.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def address(self, place: str) -> str:
        """The address of a webhook, as GRADER_CHANNELS has it."""
        return f"json://127.0.0.1:{self.server.server_port}/{SECRET}/{place}"

    def places(self) -> list[str]:
        """The webhooks that were told, in order."""
        return sorted(place for place, _ in self.received)


@contextmanager
def running() -> Iterator[Hooks]:
    """Webhooks that answer until the block ends."""
    hooks = Hooks()
    thread = threading.Thread(target=hooks.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield hooks
    hooks.server.shutdown()
    hooks.server.server_close()
