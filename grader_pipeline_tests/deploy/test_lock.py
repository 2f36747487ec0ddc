"""requirements-runtime.txt: what the image installs is what the tests ran with, and no more."""

import re
import tomllib

from grader_pipeline_tests.wheel import CHECKOUT

LOCK = CHECKOUT / "requirements.txt"
RUNTIME = CHECKOUT / "requirements-runtime.txt"
PIN = re.compile(r"(?m)^([a-z0-9._-]+)(?:\[[a-z,0-9-]+\])?==(\S+)", re.IGNORECASE)


def pins(text: str) -> set[tuple[str, str]]:
    """Name and version of each entry. Some have another version for older Pythons."""
    return set(PIN.findall(text))


def test_the_image_has_the_versions_that_the_tests_ran_with() -> None:
    runtime, lock = pins(RUNTIME.read_text()), pins(LOCK.read_text())
    assert len(runtime) > 100
    assert runtime - lock == set()


def test_each_dependency_of_the_product_is_in_the_image_and_no_tool_for_developers() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    runtime = {name for name, _ in pins(RUNTIME.read_text())}
    extras = project["project"]["optional-dependencies"].values()
    needed = [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]
    assert {named(line) for line in needed} - runtime == set()
    tools = {"mypy", "playwright", "pytest", "ruff", "uv"}
    assert tools <= {named(str(line)) for line in project["dependency-groups"]["dev"]}
    assert tools & runtime == set()


def named(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower()


def test_each_version_has_a_hash_and_no_registry_is_named() -> None:
    text = RUNTIME.read_text()
    entries = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert len(entries) == len(pins(text))
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text
    assert not re.search("(?m)^ *-", text.replace("--hash=", ""))
