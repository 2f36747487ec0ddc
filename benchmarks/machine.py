"""What it was measured on, without whose it is."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

_PACKAGES = ("dagster", "pandas", "pandera", "pyarrow", "psycopg", "polars", "dlt")


def machine() -> dict[str, str]:
    """Name the parts that speed depends on."""
    return {
        "Machine": f"{os.cpu_count()} cores of {_processor()}, "
        f"{psutil.virtual_memory().total / 1024**3:.0f} GiB",
        "System": f"{_system()}, Linux {platform.release().split('-')[0]}",
        "Versions": f"Python {platform.python_version()}, PostgreSQL 18, "
        + ", ".join(filter(None, map(_package, _PACKAGES))),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "?")


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""
