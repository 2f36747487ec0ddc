"""Why a PostgreSQL server refuses a connection, by SQLSTATE.

The server's own sentence is in its language and encoding, and libpq gives nothing else of a
connection that failed. So this asks once more, and reads the code in libpq's trace of the messages.

Source: PostgreSQL's documentation, "PostgreSQL Error Codes".
"""

import os
import re
import select
import tempfile
import time

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

REFUSALS = {
    "28P01": ("the user name or the password is wrong", True),
    "28000": ("the server does not let this user or this host in", True),
    "3D000": ("it has no database of this name", True),
    "42501": ("the user may not connect to this database", True),
    "08P01": ("it, or a pooler before it, does not know this database or an option", True),
    "53300": ("it has no connection left", False),
    "57P03": ("it is starting or stopping", False),
}
"""SQLSTATE -> what it means, and whether it stays until somebody changes something."""

_CODE = re.compile(rb'ErrorResponse.*? C "([0-9A-Z]{5})"', re.DOTALL)
_SECONDS = 10


def sqlstate_of_refusal(parameters: dict[str, str]) -> str | None:
    """Ask for a connection with libpq's parameters; give the code by which the server refuses it.

    None if there is no server, if it does not refuse, or if libpq cannot trace here.
    """
    # The trace has the password's messages, so it is a file without a name.
    with tempfile.TemporaryFile() as trace:
        connection = pq.PGconn.connect_start(make_conninfo(**parameters).encode())
        try:
            connection.trace(os.dup(trace.fileno()))
            _poll(connection)
            connection.untrace()
        except (psycopg.Error, OSError):
            return None
        finally:
            connection.finish()
        trace.seek(0)
        found = _CODE.search(trace.read())
    return found[1].decode() if found else None


def _poll(connection: pq.abc.PGconn) -> None:
    deadline = time.monotonic() + _SECONDS
    wants: int = pq.PollingStatus.WRITING
    while wants in {pq.PollingStatus.READING, pq.PollingStatus.WRITING}:
        place = [connection.socket]
        reading = place if wants == pq.PollingStatus.READING else []
        left = deadline - time.monotonic()
        if left <= 0 or not any(select.select(reading, [] if reading else place, [], left)):
            return
        wants = connection.connect_poll()
