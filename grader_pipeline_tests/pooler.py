"""PgBouncer, a pooler in front of PostgreSQL, as schools have it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from grader_pipeline_tests.waiting import eventually


@contextmanager
def pooler(server: str, mode: str) -> Iterator[str]:
    """Run PgBouncer in front of the database of a URL; give the URL that leads through it."""
    if not (program := shutil.which("pgbouncer")):
        pytest.skip("pgbouncer is not installed")
    parts = urlsplit(server)
    place, name = parse_qs(parts.query)["host"][0], parts.path[1:]
    # It does not run as root.
    owner = Path(place).owner()
    with tempfile.TemporaryDirectory(prefix="grader-pooler-", dir="/tmp") as folder:
        Path(folder, "pgbouncer.ini").write_text(
            f"[databases]\n{name} = host={place} user={parts.username}\n[pgbouncer]\n"
            f"listen_addr =\nunix_socket_dir = {folder}\nauth_type = any\npool_mode = {mode}\n"
        )
        shutil.chown(folder, owner)
        process = subprocess.Popen([program, "-q", "pgbouncer.ini"], cwd=folder, user=owner)
        try:
            assert eventually(lambda: Path(folder, ".s.PGSQL.6432").exists(), 20)
            yield f"postgresql://{parts.username}@/{name}?host={folder}&port=6432"
        finally:
            process.terminate()
            process.wait(10)
