"""The demo shop of the real product in Chromium: it reacts to clicks, forgets on demand, works without scripts, and goes away as a whole."""

import os
import subprocess

import pytest
from selenium.webdriver.common.by import By

from conftest import until
from running import binary


def for_you(browser):
    """In one step: the tracker may put other cards in place at any time."""
    return browser.run("return [...document.querySelectorAll('[data-tm-placement=\"home-for-you\"] .card')].map(card => card.textContent)")


def why(browser):
    return browser.run("return document.getElementById('why').innerText")


def as_stranger(browser, demo):
    browser.get(demo.url + "/demo")
    browser.run("localStorage.clear(); sessionStorage.clear()")
    browser.delete_all_cookies()
    browser.get(demo.url + "/demo")


def agree(browser, demo):
    as_stranger(browser, demo)
    until(lambda: browser.find_elements(By.CSS_SELECTOR, '[data-tm-placement="home-for-you"][data-tm-state="filled"]'))
    browser.find_element(By.CSS_SELECTOR, '[data-consent="granted"]').click()
    until(lambda: "Visitor " in why(browser))


def view(browser, demo, products):
    for product in products:
        browser.get(f"{demo.url}/demo/products/{product}")
        until(lambda: "Product Viewed" in why(browser) and " ms · model" in why(browser))
    browser.get(demo.url + "/demo")


def test_a_click_changes_the_next_answer_and_forget_me_takes_it_back(browser, demo):
    agree(browser, demo)
    before = sum("rug" in card for card in for_you(browser))
    view(browser, demo, ["p0007", "p0031", "p0055"])
    until(lambda: sum("rug" in card for card in for_you(browser)) >= before + 3, say=lambda: str(for_you(browser)))
    until(lambda: any("because you viewed" in card for card in for_you(browser)))
    until(lambda: "new" in why(browser) and "Left:" in why(browser))
    browser.shot("demo-reacting")
    browser.find_elements(By.CSS_SELECTOR, "#why button")[1].click()
    until(lambda: "Forgotten" in why(browser))
    until(lambda: not any("because you viewed" in card for card in for_you(browser)))


def test_a_purchase_is_stored(browser, demo):
    agree(browser, demo)
    browser.get(demo.url + "/demo/products/p0007")
    browser.find_element(By.CSS_SELECTOR, "form[data-add] button").click()
    until(lambda: browser.find_element(By.CSS_SELECTOR, "[data-cart-count]").text == "1")
    browser.get(demo.url + "/demo/cart")
    browser.find_element(By.CSS_SELECTOR, 'main form[action="/demo/order"] button').click()
    until(lambda: browser.current_url.endswith("/demo/thanks") and browser.run("return document.readyState == 'complete'"))
    until(lambda: "Thank you" in browser.page_source)
    until(lambda: "Order Completed" in why(browser))


@pytest.mark.parametrize("path", ["/demo", "/demo/departments/kitchen", "/demo/categories/rugs", "/demo/products/p0007", "/demo/cart"])
@pytest.mark.parametrize("width, dark", [(1280, False), (390, True)])
def test_the_pages_are_accessible_and_fit(browser, demo, path, width, dark):
    browser.size(width, 900, dark)
    browser.get(demo.url + path)
    browser.shot(f"shop{path.replace('/', '-')}-{width}")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.axe("moderate", "serious", "critical") == []


def test_without_scripts_the_shop_sells_and_recommends(browser, demo):
    as_stranger(browser, demo)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(demo.url + "/demo")
        assert len(for_you(browser)) == 8
        browser.find_element(By.CSS_SELECTOR, '#consent button[value="granted"]').click()
        for product in ["p0007", "p0031", "p0055"]:
            browser.get(f"{demo.url}/demo/products/{product}")
        browser.get(demo.url + "/demo")
        until(lambda: browser.refresh() or any("because you viewed" in card for card in for_you(browser)), every=0.5)
        browser.get(demo.url + "/demo/products/p0007")
        browser.find_element(By.CSS_SELECTOR, 'form[action="/demo/order"] button').click()
        # The old page may still be there when the click returns.
        until(lambda: "Thank you" in browser.page_source)
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_one_command_removes_it(browser, demo):
    environment = {**os.environ, "TASTEMAKER_LISTEN": f"127.0.0.1:{demo.port}"}
    arguments = [binary(), "demo", "remove", "--data", f"{demo.folder}/data", "--run", f"{demo.folder}/run"]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0 and "removed" in done.stdout, done.stdout + done.stderr
    browser.get(demo.url + "/demo")
    assert "not loaded" in browser.find_element(By.TAG_NAME, "h1").text
