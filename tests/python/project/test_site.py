"""The checks of the documentation site (tools/site.py) report broken links and pages that scroll horizontally."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from tools import site  # noqa: E402

BROWSER = next(filter(None, map(shutil.which, site.BROWSERS)), None)
PAGES = {
    "index.html": '<h1 id="top">Index</h1><a href="deep/page.html#part">page</a> <a href="#top">top</a>',
    "deep/page.html": '<p id="part">text</p><a href="../index.html">index</a> <a href="https://example.org/x">away</a>',
}


@pytest.fixture
def pages(tmp_path):
    for name, text in PAGES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"<!doctype html><title>{name}</title><body>{text}")
    return tmp_path


def test_links_and_anchors_that_exist_are_accepted(pages):
    assert list(site.broken_links(pages)) == []


@pytest.mark.parametrize("link", ["missing.html", "deep/page.html#missing", "#missing", "deep/picture.png"])
def test_broken_link_is_reported(pages, link):
    (pages / "other.html").write_text(f'<a href="{link}">link</a>')
    assert list(site.broken_links(pages)) == [f"other.html: broken link {link}"]


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_page_that_scrolls_horizontally_is_reported(pages):
    (pages / "wide.html").write_text('<!doctype html><body style="margin: 0"><div style="width: 500px">wide</div>')
    assert site.wide_pages(pages, BROWSER) == ["/wide.html: 500 pixels at 400"]
