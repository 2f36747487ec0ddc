"""The pictures of the papers, made from what runs: ``make pictures``.

A picture has its labels in it, as text of the PNG: what it shows whatever day it is made of. The
browser tests open the same views and compare. To add a picture, add it to PICTURES. Of each kind of
mail there is one, of the sample school.
"""

import base64
import datetime as dt
import email
import email.policy
import io
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Page, sync_playwright

from grader_pipeline.local import demo_world
from grader_pipeline.local.services import free_port
from grader_pipeline.local.stack import Stack, running
from grader_pipeline.page.page import write_report
from grader_pipeline.resources.postgres import Postgres
from grader_pipeline.settings import Settings
from grader_pipeline_tests.browser.conftest import CHROMIUM, QUIET
from grader_pipeline_tests.browser.sample_mails import sample_mails
from grader_pipeline_tests.processes import COMMAND
from grader_pipeline_tests.wheel import CHECKOUT

DOCS = CHECKOUT / "docs"
_GROUP = "/locations/__repository__@grader_pipeline/asset-groups/grader/lineage"
_SECONDS = 60_000
_KEY = "labels"
_DIGIT = re.compile(r"\d")
_PHONE = (390, 200)
_COLOURS = 256
"""As many has a picture: its file is a third as large, and texts look the same."""

Source = TypeVar("Source")
"""What a picture is made of."""


@dataclass(frozen=True)
class World:
    """What is looked at: all that `dev` runs, a day that is loaded, and a folder for files."""

    stack: Stack
    settings: Settings
    day: dt.date
    folder: Path


@dataclass(frozen=True)
class Picture(Generic[Source]):
    """A picture of the papers.

    ``open`` shows it on the page, and ``size`` is the window's. With ``whole`` it has all of the
    page. ``labels`` is the CSS selector of what it shows whatever the day, ``form`` how that is
    written: texts with a digit are never labels.
    """

    name: str
    open: Callable[[Page, Source], None]
    labels: str
    size: tuple[int, int]
    whole: bool = False
    form: str = ".+"

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return DOCS / f"{self.name}.png"


def _lineage(page: Page, world: World) -> None:
    page.goto(f"{world.stack.url}{_GROUP}")
    page.locator("svg").get_by_text("sheet_report", exact=True).first.wait_for(timeout=_SECONDS)
    # The graph moves to its place.
    page.wait_for_timeout(2000)


def _run(page: Page, world: World) -> None:
    page.goto(f"{world.stack.url}/assets/validated_attempts?partition={world.day}&view=partitions")
    page.get_by_text("duplicates").first.wait_for(timeout=_SECONDS)


def _report(page: Page, world: World) -> None:
    out = world.folder / "report.html"
    first = world.day - dt.timedelta(days=6)
    write_report(Postgres.at(world.stack.database_url), first, world.day, out)
    page.goto(out.as_uri())


def _mail(page: Page, world: World) -> None:
    """The mail about the day. There is one once its run has ended and the outbox was served."""
    for file in sorted(world.settings.outbox_dir.glob("*.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if f"{world.day:%d.%m.%Y}" in message["Subject"]:
            page.set_content(_html(message))
            return
    raise AssertionError(f"no mail about {world.day} in {world.settings.outbox_dir}")


def _html(message: email.message.EmailMessage) -> str:
    html = ""
    pictures: dict[str, str] = {}
    for part in message.walk():
        if part.get_content_type() == "text/html":
            html = part.get_content()
        elif ident := part["Content-ID"]:
            data = base64.b64encode(part.get_content()).decode()
            pictures[ident.strip("<>")] = f"data:{part.get_content_type()};base64,{data}"
    return re.sub("cid:([^\"']+)", lambda found: pictures[found[1]], html)


PICTURES = (
    Picture("lineage", _lineage, "svg foreignObject *", (1500, 640), form="[a-z]+(_[a-z]+)*"),
    Picture("run", _run, "table td:first-child", (1500, 1000)),
    Picture("report", _report, "h2, .period td:first-child", (900, 1500)),
    Picture("mail", _mail, "td:first-child", (700, 500), whole=True),
)


def of_mail(kind: str) -> Picture[Mapping[str, str]]:
    """The picture of a kind of mail on a phone, made of the HTML of each kind."""
    return Picture(f"mails/{kind.replace(' ', '-')}", partial(_kind, kind), ".card", _PHONE, True)


def _kind(kind: str, page: Page, mails: Mapping[str, str]) -> None:
    page.set_content(mails[kind])


def labels(picture: Picture[Source], page: Page) -> set[str]:
    """What the opened page shows of every day: texts without a digit, each once."""
    texts: list[str] = page.locator(picture.labels).evaluate_all(
        "found => found.map(element => element.innerText ?? element.textContent)"
    )
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return {line for line in lines if re.fullmatch(picture.form, line) and not _DIGIT.search(line)}


def kept_labels(picture: Picture[Source]) -> set[str]:
    """What the picture in the papers shows."""
    with Image.open(picture.file) as image:
        return set(json.loads(image.text[_KEY]))


def take(picture: Picture[Source], page: Page, source: Source) -> None:
    """Make the picture anew."""
    width, height = picture.size
    page.set_viewport_size({"width": width, "height": height})
    picture.open(page, source)
    found = labels(picture, page)
    assert found, f"{picture.labels} finds nothing"
    page.wait_for_timeout(1000)
    shot = Image.open(io.BytesIO(page.screenshot(full_page=picture.whole)))
    noted = PngInfo()
    noted.add_itxt(_KEY, json.dumps(sorted(found), ensure_ascii=False))
    picture.file.parent.mkdir(exist_ok=True)
    few = shot.convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE)
    few.save(picture.file, optimize=True, pnginfo=noted)


def main() -> None:
    """Load the demo's week in a folder of its own, and make all pictures of it."""
    with tempfile.TemporaryDirectory(prefix="grader-pictures-") as folder:
        os.environ["GRADER_HOME"] = folder
        subprocess.run([*COMMAND, "demo"], check=True)
        demo_world.enter()
        settings = Settings()
        day = dt.datetime.now(settings.timezone).date() - dt.timedelta(days=1)
        with running(settings, "127.0.0.1", free_port()) as stack, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            page = browser.new_page(locale="en-US")
            for picture in PICTURES:
                take(picture, page, World(stack, settings, day, Path(folder)))
            mails = sample_mails(stack.database_url)
            for kind in mails:
                take(of_mail(kind), page, mails)
            browser.close()


if __name__ == "__main__":
    main()
