"""A server whose certificate has expired."""

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme

from grader_pipeline.resources import http_opener

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@contextmanager
def server_with_expired_certificate(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve TLS with an expired certificate of an authority that this machine trusts. Its URL."""
    authority = trustme.CA()
    trusting, serving = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.configure_trust(trusting)
    authority.issue_cert("127.0.0.1", not_after=LONG_AGO).configure_cert(serving)
    monkeypatch.setattr(http_opener, "certificates", lambda: trusting)

    def answer() -> None:
        with suppress(OSError):
            while True:
                visitor, _ = listening.accept()
                with suppress(OSError), serving.wrap_socket(visitor, server_side=True):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
