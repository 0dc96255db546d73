"""The demo shop's panel on a page like the server's."""

from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from conftest import until
from servers import STUB

PAGE = (Path(__file__).parent / "sample-shop.html").read_text()


def shop_page(collector, shop, consent):
    snippet = STUB + f"tm.load('KEY', {{endpoint: '{collector.url}', consent: '{consent}'}})"
    policy = (f"default-src 'none'; script-src 'nonce-n1'; style-src 'self'; img-src 'self'; connect-src 'self' {collector.url}; "
              "require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp")
    return shop.add("/demo/lamp", PAGE.replace("SNIPPET", snippet).replace("COLLECTOR", collector.url), {"Content-Security-Policy": policy})


def panel(browser):
    return browser.find_element(By.ID, "why").text


def test_a_view_is_stored_before_the_boxes_are_asked_again(browser, collector, shop):
    browser.get(shop_page(collector, shop, "granted"))
    until(lambda: collector.named("Product Viewed"))
    until(lambda: len(collector.asked) == 4)
    until(lambda: "Product Viewed" in panel(browser) and "because you viewed a lamp" in panel(browser) and " ms · model" in panel(browser))
    assert shop.reports == []


def test_a_change_of_a_box_is_shown_without_a_reload(browser, collector, shop):
    browser.get(shop_page(collector, shop, "granted"))
    until(lambda: len(collector.asked) == 4 and "Unchanged" in panel(browser))
    browser.run("window.kept = true")
    collector.changes = [{"itemId": "sku-new", "title": "Brass lamp"}, {"itemId": "sku-2", "title": "Item 2"}, {"itemId": "sku-1", "title": "Item 1"}]
    browser.find_element(By.CSS_SELECTOR, ".product button").click()
    until(lambda: collector.named("Product Added"))
    until(lambda: "Brass lamp" in panel(browser))
    text = panel(browser)
    assert "new" in text and "▲ 1" in text and "▼ 1" in text and "Left: Item <b>0</b>" in text
    assert browser.run("return window.kept") and shop.posted == ["item=sku-view"]
    assert browser.find_element(By.CSS_SELECTOR, "[data-cart-count]").text == "1"
    until(lambda: browser.run("return document.querySelector('main .card strong').textContent") == "Brass lamp")


def test_become_another_and_forget_me(browser, collector, shop):
    browser.get(shop_page(collector, shop, "granted"))
    until(lambda: len(collector.asked) == 4)
    first = browser.run("return tm.anonymousId()")
    another, forget = browser.find_elements(By.CSS_SELECTOR, "#why button")
    another.click()
    second = until(lambda: browser.run("return tm.anonymousId() != arguments[0] && tm.anonymousId()", first))
    until(lambda: collector.asked[-1]["anonymousId"] == second)
    until(lambda: forget.is_enabled())
    forget.click()
    until(lambda: shop.posted == [f"csrf=T&choice=forget&anonymousId={second}"])
    until(lambda: "Forgotten" in panel(browser))
    assert browser.run("return tm.anonymousId()") not in (first, second)


def test_the_shop_asks_before_it_remembers(browser, collector, shop):
    browser.get(shop_page(collector, shop, "pending"))
    until(lambda: len(collector.asked) == 2 and "consent is not given" in panel(browser))
    assert not browser.run("return localStorage.length + sessionStorage.length") and not collector.requests
    browser.find_element(By.CSS_SELECTOR, '[data-consent="granted"]').click()
    until(lambda: collector.named("Product Viewed"))
    until(lambda: "anonymousId" in collector.asked[-1] and "Visitor " in panel(browser))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width, height", [(1280, 1000), (390, 844)])
def test_the_shop_is_accessible_and_fits(browser, collector, shop, width, height, dark):
    browser.size(width, height, dark)
    browser.get(shop_page(collector, shop, "granted"))
    until(lambda: len(collector.asked) == 4 and "Unchanged" in panel(browser))
    browser.shot(f"demo-{width}-{'dark' if dark else 'light'}")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.axe("moderate", "serious", "critical") == []
