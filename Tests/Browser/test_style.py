"""The stylesheet on a page that holds every element it knows."""

from pathlib import Path

import pytest

from servers import PUBLIC

SAMPLE = (Path(__file__).parent / "sample.html").read_text()
POLICY = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; report-uri /csp"}


def test_the_stylesheet_stays_small():
    assert len((PUBLIC / "console.css").read_text().splitlines()) < 1000


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width, height", [(1280, 1900), (390, 844)])
def test_the_sample_page_is_accessible_and_fits(browser, shop, width, height, dark):
    browser.size(width, height, dark)
    browser.get(shop.add("/", SAMPLE, POLICY))
    browser.shot(f"console-{width}-{'dark' if dark else 'light'}")
    if width == 390:
        full = browser.run("return document.documentElement.scrollHeight")
        browser.size(width, full, dark)
        browser.shot(f"console-{width}-{'dark' if dark else 'light'}-full")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert shop.reports == []
    assert browser.axe("moderate", "serious", "critical") == []


def test_targets_are_at_least_24_px_high(browser, shop):
    browser.size(390, 844)
    browser.get(shop.add("/", SAMPLE, POLICY))
    small = browser.run("""return [...document.querySelectorAll('a, button, input, select, summary')]
        .filter(e => !e.closest('.skip, p, footer, .choice')).map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect().height])
        .filter(([, height]) => height > 0 && height < 23.9)""")
    assert small == []
