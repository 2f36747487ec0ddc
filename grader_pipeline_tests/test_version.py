"""The version is that of git's tag, and a build works wherever there is none."""

import re
import subprocess
import sys
from email.parser import Parser
from pathlib import Path

import pytest

from grader_pipeline_tests.wheel import CHECKOUT, copy_checkout

_BUILD = """
import sys
from setuptools import build_meta
print("built", getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@school.example")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def built(source: Path, what: str, folder: Path) -> Path:
    """What a function of setuptools builds of a source."""
    folder.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, what, folder],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / re.findall("^built (.*)$", done.stdout, re.MULTILINE)[-1]


def version(source: Path, folder: Path) -> str:
    """The version of a wheel that is built of a source."""
    about = built(source, "prepare_metadata_for_build_wheel", folder) / "METADATA"
    return str(Parser().parsestr(about.read_text())["Version"])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one commit with the checkout's files, and no tag."""
    folder = copy_checkout(tmp_path / "repository")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "All of it")
    return folder


@pytest.mark.processes
def test_a_build_has_the_version_of_the_tag_and_its_source_distribution_keeps_it(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "tag", "-a", "v9.8.7", "-m", "Release 9.8.7")
    assert version(repository, tmp_path / "tagged") == "9.8.7"
    archive = built(repository, "build_sdist", tmp_path / "sdist")
    subprocess.run(["tar", "-xzf", archive], cwd=tmp_path, check=True)
    assert version(tmp_path / "grader_pipeline-9.8.7", tmp_path / "of sdist") == "9.8.7"
    git(repository, "commit", "-q", "--allow-empty", "-m", "Another")
    assert re.fullmatch(r"9\.8\.8\.dev1\+g\w+", version(repository, tmp_path / "later"))


@pytest.mark.processes
def test_a_build_works_without_tags_and_without_git(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "v9.8.7")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Another")
    shallow = ("clone", "-q", "--depth", "1", "--no-tags", repository.as_uri(), "shallow")
    git(tmp_path, *shallow)
    assert re.fullmatch(r"0\.0\.1\.dev1\+g\w+", version(tmp_path / "shallow", tmp_path / "one"))
    without = copy_checkout(tmp_path / "without git")
    assert version(without, tmp_path / "two") == "0.0.0"


def test_each_release_of_the_changelog_has_its_version_and_day_the_newest_first() -> None:
    headings = re.findall("^## (.*)$", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings.pop(0) == "[Unreleased]"
    found = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", line) for line in headings]
    assert found
    assert all(found)
    numbers = [[int(part) for part in match[1].split(".")] for match in found if match]
    assert numbers == sorted(numbers, reverse=True)
    days = [match[2] for match in found if match]
    assert days == sorted(days, reverse=True)
