"""Every kind of mail in a browser, as a phone and a wide window show it, in light and in dark."""

import pytest
from playwright.sync_api import Page

from grader_pipeline_tests.browser.pictures import DOCS, kept_labels, labels, of_mail
from grader_pipeline_tests.browser.sample_mails import sample_mails

PHONE, WIDE = {"width": 360, "height": 740}, {"width": 800, "height": 740}
LARGEST_FILE = 100_000
"""Bytes of a picture in the papers."""
SCREENS = 3
"""So many screens of a phone has the longest mail about a day."""

ORDER = [".card > p.ink", ".card > .figures", "img.chart", "p.warning", "a.button", "h2 + .rows"]

CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92
    : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(node).backgroundColor);
      if (a) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility()) continue;
    const style = getComputedStyle(node);
    const [one, other] = [light(parse(style.color)), light(behind(node))].sort((a, b) => a - b);
    const contrast = (other + 0.05) / (one + 0.05);
    if (contrast < 4.5) found.push(`${texts.currentNode.data.trim()}: ${contrast.toFixed(1)}`);
  }
  return found;
}"""
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
  .filter((node) => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth)
  .map((node) => node.outerHTML.slice(0, 80))"""
TOPS = """(order) => order.map((what) => {
  const node = document.querySelector(what);
  return node && node.getBoundingClientRect().top;
})"""


@pytest.fixture(scope="module")
def letters(postgres_18: str) -> dict[str, str]:
    """The HTML of each kind of mail."""
    return sample_mails(postgres_18)


def test_a_picture_of_each_kind_of_mail_is_in_the_papers_and_has_its_labels(
    page: Page, letters: dict[str, str]
) -> None:
    pictures = [of_mail(kind) for kind in letters]
    assert {picture.file for picture in pictures} == set((DOCS / "mails").iterdir())
    papers = (DOCS / "mails.md").read_text()
    for picture in pictures:
        picture.open(page, letters)
        assert labels(picture, page) == kept_labels(picture), "make pictures"
        assert picture.file.stat().st_size < LARGEST_FILE
        assert f"({picture.file.relative_to(DOCS)})" in papers


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, WIDE], ids=lambda size: size["width"])
def test_each_mail_fits_its_window_and_can_be_read(
    page: Page, letters: dict[str, str], size: dict[str, int], colours: str
) -> None:
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=colours)
    backgrounds = set()
    for kind, html in letters.items():
        page.set_content(html)
        assert page.evaluate(TOO_WIDE) == [], kind
        assert page.evaluate(CONTRAST) == [], kind
        card = "getComputedStyle(document.querySelector('.card')).backgroundColor"
        backgrounds.add(page.evaluate(card))
    assert backgrounds == {"rgb(255, 255, 255)" if colours == "light" else "rgb(23, 28, 35)"}


def test_a_phone_shows_first_what_matters_and_the_rest_in_order(
    page: Page, letters: dict[str, str]
) -> None:
    page.set_viewport_size(PHONE)
    page.set_content(letters["daily"])
    tops = page.evaluate(TOPS, ORDER)
    assert None not in tops
    assert tops == sorted(tops)
    figures = page.locator(".card > .figures .figure")
    assert 3 <= figures.count() <= 5
    last = figures.last.bounding_box()
    assert last["y"] + last["height"] < PHONE["height"] * 0.6, "and the chart begins on the screen"
    for kind in ("daily", "quiet day"):
        page.set_content(letters[kind])
        assert page.evaluate("document.body.scrollHeight") <= SCREENS * PHONE["height"], kind


def test_a_mail_needs_no_style_sheet_to_be_read(page: Page, letters: dict[str, str]) -> None:
    """Several clients drop it."""
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light")
    for kind, html in letters.items():
        head, _, rest = html.partition("<style>")
        page.set_content(head + rest.partition("</style>")[2])
        assert page.evaluate(TOO_WIDE) == [], kind
        assert page.evaluate(CONTRAST) == [], kind
        assert page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius")
