"""The tool of mutation testing: whether a change is noticed, and a change that never ends too."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader_pipeline_tests.wheel import CHECKOUT

pytestmark = pytest.mark.processes

ASKED = """
import sys
from grader_pipeline_tests.mutation import passes
print(passes([sys.argv[1]], *map(int, sys.argv[2:])), file=sys.__stdout__)
"""


@pytest.mark.parametrize(
    ("body", "seconds", "cpu_seconds", "answer"),
    [
        ("pass", 60, 60, "True"),
        ("assert False", 60, 60, "False"),
        ("import time; time.sleep(100)", 3, 60, "False"),
        ("while True: pass", 60, 2, "False"),
    ],
)
def test_a_mutant_that_fails_a_test_or_never_ends_is_noticed(
    tmp_path: Path, body: str, seconds: int, cpu_seconds: int, answer: str
) -> None:
    test = tmp_path / "test_of_a_mutant.py"
    # pytest-timeout sets the alarm of the process again for each test.
    test.write_text(f"import pytest\n@pytest.mark.timeout(100)\ndef test_it():\n    {body}\n")
    begun = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", ASKED, str(test), str(seconds), str(cpu_seconds)],
        cwd=CHECKOUT, check=True, capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    assert said.stdout.strip() == answer
    assert time.monotonic() - begun < 45
