"""Whether the services answer. A probe takes less than 1 ms of CPU and starts no process."""

from http.client import HTTPConnection, HTTPException
from pathlib import Path

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

TIMEOUT = 5
"""Seconds."""


def code_server_answers(code_socket: Path) -> bool:
    """Whether the code server answers gRPC's health check.

    It does so with code that cannot be imported, too: the UI then shows why.
    """
    with grpc.insecure_channel(f"unix:{code_socket}") as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service="DagsterApi"), TIMEOUT)
        except grpc.RpcError:
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)


def ui_answers(host: str, port: int) -> bool:
    """Whether the UI answers a request."""
    connection = HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        # The UI knows this name, whatever address it listens on.
        connection.request("GET", "/server_info", headers={"Host": "localhost"})
        return connection.getresponse().status == 200  # noqa: PLR2004
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
