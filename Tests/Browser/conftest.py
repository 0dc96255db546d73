"""Fixtures: one headless Chromium and one product with the demo shop for the run; a collector and a shop on fresh ports, so on fresh origins, for
each test."""

import json
import os
import re
import sys
import time
from pathlib import Path

import axe_playwright_python
import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Acceptance"))

from running import Product, end_orderly, make_folder  # noqa: E402
from servers import Collector, Pages  # noqa: E402

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"


def pytest_configure(config):
    end_orderly()


def until(claim, seconds=8.0, every=0.02, say=lambda: "the claim did not come true in time"):
    """Waits until `claim()` is truthy and gives its value; fails after `seconds` with what `say()` tells.

    An element that the page has just replaced does not count as found."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            value = claim()
        except StaleElementReferenceException:
            value = None
        if value:
            return value
        assert time.monotonic() < deadline, say()
        time.sleep(every)


def chromium(width=1280, height=900):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
        "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", f"--window-size={width},{height}",
        "--host-resolver-rules=MAP *.test 127.0.0.1", "--test-third-party-cookie-phaseout",
        "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,OptimizationHints,MediaRouter",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"profile.cookie_controls_mode": 1, "profile.block_third_party_cookies": True})
    driver = webdriver.Chrome(options=options, service=Service(
        "/usr/bin/chromedriver", env={**os.environ, "TMPDIR": make_folder()}))
    driver.set_page_load_timeout(20)
    driver.set_script_timeout(20)
    return driver


class Browser:
    """A WebDriver with the few things the tests need besides."""

    def __init__(self, driver, shots):
        self.driver, self.shots = driver, shots

    def __getattr__(self, name):
        return getattr(self.driver, name)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, script, *arguments):
        """The value that a promise of the page resolves to."""
        return self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; (async () => {" + script + "})().then(done, e => done('error: ' + e))", *arguments)

    def before_load(self, script):
        """Runs in every later document of this tab, before the page's own scripts."""
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def offline(self, is_offline=True):
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {
            "offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})

    def size(self, width, height, dark=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def shot(self, name):
        """A picture of the window, kept below TASTEMAKER_SHOTS if that is set."""
        path = Path(self.shots) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))
        return path

    def axe(self, *impacts, rule=None):
        """axe-core's violations of the given impacts (default: serious and critical), as 'rule: selectors'; of one rule or of all."""
        wanted = impacts or ("serious", "critical")
        if not self.run("return !!window.axe"):
            self.driver.execute_script(AXE.read_text())
        options = {"resultTypes": ["violations"], **({"runOnly": {"type": "rule", "values": [rule]}} if rule else {})}
        result = self.wait("return await axe.run(document, %s)" % json.dumps(options))
        assert isinstance(result, dict), result
        return [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in result["violations"] if v["impact"] in wanted]

    def page_faults(self, path):
        """What is wrong with the loaded page: axe's serious findings in light, dark and on a phone, width, size, errors of scripts."""
        self.size(1280, 900)
        faults = self.axe()
        self.size(1280, 900, dark=True)
        faults += [f"dark: {fault}" for fault in self.axe(rule="color-contrast")]
        self.size(390, 900)
        faults += [f"phone: {fault}" for fault in self.axe(rule="scrollable-region-focusable")]
        wide, long = self.run("return [document.documentElement.scrollWidth, document.documentElement.outerHTML.length]")
        if wide > 390:
            faults.append(f"{wide} pixels wide on a phone")
        if long > 80_000:
            faults.append(f"{long} characters")
        faults += [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        if os.environ.get("TASTEMAKER_SHOTS"):
            name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")
            for look, width, dark in [("light", 1280, False), ("dark", 1280, True), ("phone", 390, False)]:
                self.size(width, 900, dark)
                self.size(width, min(3000, self.run("return document.documentElement.scrollHeight")), dark)
                self.shot(f"{name}-{look}")
        return [f"{path}: {fault}" for fault in faults]

    def clean(self):
        """Leaves one fresh tab: with it go history (Chromium prunes at 50 entries), emulation and injected scripts."""
        old = self.driver.window_handles
        self.driver.switch_to.new_window("tab")
        fresh = self.driver.current_window_handle
        for handle in old:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(fresh)


@pytest.fixture(scope="session")
def chromium_driver():
    driver = chromium()
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def demo():
    """The real product with its demo shop, for everything that does not harm it; the last of the shop's own tests removes the shop."""
    running = Product(arguments=["--demo"])
    try:
        yield running.start(seconds=240)
    finally:
        running.remove()


@pytest.fixture
def browser(chromium_driver, tmp_path):
    browser = Browser(chromium_driver, os.environ.get("TASTEMAKER_SHOTS") or tmp_path)
    yield browser
    browser.clean()


@pytest.fixture
def collector():
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def shop():
    pages = Pages()
    yield pages
    pages.close()
