"""Mutation testing, by hand: whether a test notices that a line of the code is wrong.

``python -m grader_pipeline_tests.mutation checks`` takes the modules of a room one after another,
changes one operator, number or word of the code at a time (Cosmic Ray makes the changes) and runs
the module's tests. A mutant that no test notices *survives*, and its diff is shown.
It works on a copy of the checkout. Cosmic Ray is not among the tools that the checkout installs:
``.venv/bin/uv pip install cosmic-ray``. CONTRIBUTING.md has the scores and what became of the
survivors.
"""

import argparse
import difflib
import importlib
import os
import random
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import cache_from_source
from math import ceil
from pathlib import Path

import hypothesis
import pytest

CHECKOUT = Path(__file__).parents[1]
TESTS = "grader_pipeline_tests/"
# The modules of a room, each with its tests. Those that start PostgreSQL take a second and more.
ROOMS = {
    "checks": {
        "checks/registry.py": ["test_checks.py"],
        "checks/loaded_day.py": ["test_checks.py"],
        "checks/sheet_day.py": ["test_checks.py"],
        "checks/validated_day.py": ["test_checks.py"],
    },
    "outbox": {
        "mail/outbox.py": ["mail/test_outbox.py"],
        "mail/run_mails.py": ["mail/test_repeated_mails.py", "mail/test_failure_mail.py"],
    },
    "attempts": {
        "attempts/course_and_task.py": ["attempts/test_course_and_task.py"],
        "attempts/decoding.py": ["attempts/test_quarantine.py", "attempts/test_values.py"],
        "attempts/duplicates.py": ["attempts/test_duplicates.py", "attempts/test_accounting.py"],
        "attempts/forgotten.py": ["attempts/test_forgotten.py"],
        "attempts/passback.py": ["attempts/test_passback.py", "attempts/test_exact.py"],
        "attempts/response.py": ["attempts/test_response.py"],
        "attempts/rollup.py": ["attempts/test_rollup.py"],
        "attempts/schema.py": ["attempts/test_quarantine.py", "attempts/test_values.py"],
        "attempts/validated_file.py": [
            "attempts/test_validated_file.py",
            "attempts/test_forgotten.py",
            "attempts/test_accounting.py",
        ],
        "attempts/validation.py": [
            "attempts/test_forgotten.py",
            "attempts/test_quarantine.py",
            "attempts/test_accounting.py",
        ],
    },
    "privacy": {"reports/privacy.py": ["reports/test_privacy.py"]},
}
# Imported before the forks: what the tests import of others.
HEAVY = ("dagster", "hypothesis", "numpy", "pandas", "pandera.pandas", "psycopg", "pyarrow.compute")
# Which example shows the fault does not matter. That a machine at work is slow is no fault.
hypothesis.settings.register_profile(
    "mutants",
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
# Changes that tell nothing: `str | None` fails on import, `is` for `==` is mostly the same, and no
# test writes to a frozen dataclass.
UNUSED = re.compile(r"BinaryOperator_BitOr|Operator_(Eq|NotEq|Lt|LtE|Gt|GtE)_Is|NoOp")
FROZEN = "@dataclass(frozen=True"
LONGEST = 600
PYTEST = ["-x", "-q", "-pno:xdist", "-pno:cacheprovider", "--timeout=0"]
PYTEST += ["--hypothesis-profile=mutants"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m grader_pipeline_tests.mutation")
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--at-most", type=int, default=100, help="mutants of a module")
    parser.add_argument("--minutes", type=float, default=10, help="for a module")
    parser.add_argument("--only", default="", help="part of a module's path")
    chosen = parser.parse_args()
    for name in HEAVY:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copy = _copy(Path(folder))
        os.chdir(copy)
        sys.path.insert(0, str(copy))
        for module, tests in ROOMS[chosen.room].items():
            if chosen.only in module:
                _test_module(module, tests, chosen.at_most, 60 * chosen.minutes)


def _copy(folder: Path) -> Path:
    for name in ("grader_pipeline", "grader_pipeline_tests", "sql", "benchmarks"):
        shutil.copytree(CHECKOUT / name, folder / name, symlinks=True)
    for name in ("pyproject.toml", "workspace.yaml", ".env.example"):
        shutil.copy(CHECKOUT / name, folder)
    return folder


def _test_module(module: str, tests: list[str], at_most: int, seconds: float) -> None:
    path = Path("grader_pipeline", module)
    code = path.read_text(encoding="utf-8")
    tests = [TESTS + test for test in tests]
    begun, cpu_before = time.monotonic(), _cpu_of_forks()
    if not passes(tests, LONGEST, LONGEST):
        raise SystemExit(f"{module}: its tests fail without a change.")
    # A mutant may never end: some of them wait, others work. Others may use the machine too.
    longest = 30 + 3 * (time.monotonic() - begun)
    longest_cpu = 5 + 3 * (_cpu_of_forks() - cpu_before)
    mutants = sorted(set(_mutants(path, code)) - {code})
    tried = random.Random(0).sample(mutants, min(at_most, len(mutants)))
    survivors, begun, count = [], time.monotonic(), 0
    try:
        for mutant in tried:
            if time.monotonic() - begun > seconds:
                break
            count += 1
            path.write_text(mutant, encoding="utf-8")
            # Python takes a compiled module of the same second and size for the same one.
            Path(cache_from_source(str(path))).unlink(missing_ok=True)
            if passes(tests, longest, longest_cpu):
                survivors.append(mutant)
    finally:
        path.write_text(code, encoding="utf-8")
    for mutant in survivors:
        lines = difflib.unified_diff(code.splitlines(), mutant.splitlines(), lineterm="", n=1)
        print("\n".join(list(lines)[2:]))
    killed = count - len(survivors)
    print(f"{module}: {killed} of {count} noticed, {len(mutants)} possible", flush=True)


def _mutants(path: Path, code: str) -> Iterator[str]:
    """The code with one change, for every change that Cosmic Ray knows."""
    from cosmic_ray.ast import ast_nodes, get_ast_from_path
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    nodes = list(ast_nodes(get_ast_from_path(path)))
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments() or UNUSED.search(name):
            continue
        places = sum(len(list(operator().mutation_positions(node))) for node in nodes)
        for place in range(places):
            mutant = None
            # It cannot replace an exception with a dot in its name.
            with suppress(AttributeError):
                mutant = mutate_code(code, operator(), place)
            if mutant and mutant.count(FROZEN) == code.count(FROZEN):
                yield mutant


def passes(tests: list[str], longest: float, longest_cpu: float) -> bool:
    """Whether the tests pass in a fork that imports the copy, in so many seconds of clock and CPU.

    The parent ends a fork that takes longer. Within the fork, pytest-timeout has the alarm.
    """
    child = os.fork()
    if child == 0:
        failed = 1
        try:
            os.setpgrp()
            resource.setrlimit(resource.RLIMIT_CPU, (ceil(longest_cpu), ceil(longest_cpu)))
            for name in [name for name in sys.modules if name.startswith("grader_pipeline")]:
                del sys.modules[name]
            sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
            failed = pytest.main([*PYTEST, *tests])
        finally:
            # What the interrupt ends must not go on to clean up after its parent.
            os._exit(failed)
    ended = os.pidfd_open(child)
    try:
        # After an interrupt pytest stops the servers that the tests started.
        for stop, seconds in ((signal.SIGINT, longest), (signal.SIGKILL, 15)):
            if select.select([ended], [], [], seconds)[0]:
                break
            with suppress(ProcessLookupError):
                os.killpg(child, stop)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(ended)
    return status == 0


def _cpu_of_forks() -> float:
    """The CPU seconds of the forks that have ended, user and system."""
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


if __name__ == "__main__":
    main()
