"""The names under which browsers reach the UI: those of the own machine, and GRADER_UI_HOSTS."""

from collections.abc import Sequence
from ipaddress import ip_address


def is_loopback(name: str) -> bool:
    """Whether a host is this machine under its own name: ``localhost``, 127.0.0.1 or ::1."""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def refusal(address: str, hosts: Sequence[str]) -> str | None:
    """Why the UI cannot listen at an address that other machines reach, or None.

    ``hosts`` are those of GRADER_UI_HOSTS.
    """
    if is_loopback(address) or hosts:
        return None
    return (
        f"The UI would listen on {address}, where other machines reach it, and anybody there could "
        "start runs. Put a proxy in front of it that asks who somebody is, and set GRADER_UI_HOSTS "
        "to the names under which browsers reach it, such as ui.school.org."
    )
