"""Where the product and the pages stand: two sites under a strict policy, over TLS, and on a plain-http host name."""

import base64
import hashlib
import pathlib
import re
import shutil
import subprocess

import boto3
import pytest
from botocore.config import Config
from selenium.webdriver.common.by import By

from conftest import until
from person import Person
from running import Product, make_folder

SCHEMA = """{"type": "record", "name": "Items", "namespace": "com.amazonaws.personalize.schema", "version": "1.0", "fields": [
{"name": "ITEM_ID", "type": "string"}, {"name": "TITLE", "type": ["null", "string"]}]}"""

# What a shop's developer writes around the snippet.
SITE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>{snippet}</head><body>
<button id="yes" type="button">Agree</button> <button id="buy" type="button">Buy</button>
<ul data-tm-placement="{placement}"><li>What the shop chose itself</li></ul>
<script nonce="n1">
document.getElementById("yes").onclick = () => tm.consent("granted")
document.getElementById("buy").onclick = () => tm.track("Order Completed", {{order_id: "{order}", currency: "EUR", products: [
  {{product_id: document.querySelector("[data-tm-item]").dataset.tmItem, price: 19.9, quantity: 2}}]}})
</script></body></html>"""


def sql(product, text):
    """What the product's own database answers, as text."""
    tools = sorted(pathlib.Path("/usr/lib/postgresql").iterdir())[-1] / "bin"
    address = f"postgresql://tastemaker@{(product.folder + '/run/pg').replace('/', '%2F')}/tastemaker"
    answer = subprocess.run([str(tools / "psql"), "-qAtc", text, address], check=True, capture_output=True, text=True)
    return answer.stdout.strip()


def purchases(product, order):
    return sql(product, f"SELECT count(*), sum(amount) FROM tastemaker.interaction WHERE order_id = '{order}'")


def filled(browser):
    return browser.find_elements(By.CSS_SELECTOR, "[data-tm-placement][data-tm-state='filled'] [data-tm-item]")


def events(person):
    """The tracker page's newest events from this site, and the refused ones."""
    person.group("/tracker")
    read = lambda heading: [row.text for row in person.all(f"[aria-label='{heading}'] tbody tr")]
    return read("Newest events"), read("Refused events")


def visit(browser, page):
    """Loads a page until its box is filled: a change of origins may take two seconds to act."""
    def there():
        browser.get(page)
        until(lambda: browser.run("return document.querySelector('[data-tm-state=\"filled\"], [data-tm-state=\"failed\"]')"))
        return filled(browser)
    return until(there, every=0.3, say=lambda: f"{browser.get_log('browser')} {browser.page_source}")


def buy_and_click(browser):
    """Grants consent, buys what the box shows first, and follows its second item."""
    browser.find_element(By.ID, "yes").click()
    until(lambda: browser.run("return !!localStorage.length"))
    until(lambda: filled(browser))
    browser.find_element(By.ID, "buy").click()
    # The box is filled anew when consent is given; the click is of a person who sees the cards.
    until(lambda: browser.run("const card = document.querySelectorAll('[data-tm-item]')[1], link = card && (card.querySelector('a') || card);"
                              "if (link) link.click(); return !!link"))


@pytest.mark.parametrize("way", ["inline", "external"])
def test_a_box_on_another_site_is_filled_under_a_strict_policy(browser, demo, shop, way):
    person = Person(browser, demo, "demo-shop").enter()
    person.group("/tracker")
    codes = [code.get_attribute("textContent") for code in person.all("pre code")]
    snippet = next(code for code in codes if ("data-key=" in code) == (way == "external") and "/tracker.js" in code)
    assert demo.url in snippet
    inline = re.search(r"<script>(.*?)</script>", snippet, re.S)
    hashes = f"'sha256-{base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()}'" if inline else ""
    policy = (f"default-src 'none'; script-src {demo.url} 'nonce-n1' {hashes}; connect-src {demo.url}; img-src {demo.url} 'self'; base-uri 'none'; "
              "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp")
    order = f"two-sites-{way}-{shop.port}"
    page = shop.add("/", SITE.format(snippet=snippet, placement="home-for-you", order=order), {"Content-Security-Policy": policy})

    browser.get(page)
    browser.find_element(By.ID, "yes").click()
    until(lambda: browser.run("return !!window.tm && !!tm.version"))
    until(lambda: f"{shop.url}" in " ".join(events(person)[1]), every=0.3)
    refused = next(row for row in person.all("[aria-label='Refused events'] tbody tr") if shop.url in row.text)
    assert "origin" in refused.text.lower()
    browser.get(page)
    browser.run("localStorage.clear()")
    events(person)
    refused = next(row for row in person.all("[aria-label='Refused events'] tbody tr") if shop.url in row.text)
    person.leave(refused.find_element(By.TAG_NAME, "button"))
    assert f"Events from {shop.url} are accepted" in person.text

    assert len(visit(browser, page)) == 12
    assert not browser.run("return localStorage.length"), "nothing is stored before consent"
    browser.shot(f"two-sites-{way}")
    buy_and_click(browser)
    until(lambda: purchases(demo, order) == "1|39.8000", say=lambda: purchases(demo, order))
    shown = until(lambda: [row for row in events(person)[0] if "Click" in row and shop.url in row], every=0.3)
    assert shown
    browser.get(page)
    assert browser.run("return document.cookie") == "" and demo.url not in str(browser.get_cookies())
    assert shop.reports == []


def certificate(folder, host):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key", "-out", f"{folder}/certificate",
                    "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host},IP:127.0.0.1"],
                   check=True, capture_output=True)
    return f"{folder}/certificate", f"{folder}/key"


def client(service, product, verify=True, endpoint=None):
    return boto3.client(service, endpoint_url=endpoint or product.value("Endpoint"), region_name="eu-central-1", verify=verify,
                        aws_access_key_id=product.value("Key id"), aws_secret_access_key=product.value("Secret"),
                        config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture(scope="module")
def secure():
    """Over TLS, under a public address that is not the one it listens on."""
    folder = make_folder()
    file, key = certificate(folder, "secure.test")
    running = Product(folder=folder)
    running.certificate = file
    running.arguments = ["--no-demo", "--tls-certificate", file, "--tls-key", key, "--public-url", f"https://secure.test:{running.port}"]
    try:
        yield running.start()
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def plain(secure):
    """The same data on plain http, under a host name that browsers do not call secure."""
    secure.stop()
    running = Product(folder=secure.folder)
    running.arguments = ["--no-demo", "--public-url", f"http://plain.test:{running.port}"]
    try:
        running.start()
        running.has_entered = True
        yield running
    finally:
        running.stop()


def test_over_tls_a_person_a_page_and_a_client_are_served(browser, secure, shop):
    browser.execute_cdp_cmd("Security.enable", {})
    browser.execute_cdp_cmd("Security.setIgnoreCertificateErrors", {"ignore": True})
    address = f"https://secure.test:{secure.port}"
    assert secure.value("Console") == f"{address}/console" and secure.value("Endpoint") == address

    at = f"https://127.0.0.1:{secure.port}"
    personalize = client("personalize", secure, secure.certificate, at)
    group = personalize.create_dataset_group(name="shop")["datasetGroupArn"]
    schema = personalize.create_schema(name="items", schema=SCHEMA)["schemaArn"]
    dataset = personalize.create_dataset(name="items", schemaArn=schema, datasetGroupArn=group, datasetType="Items")["datasetArn"]
    client("personalize-events", secure, secure.certificate, at).put_items(datasetArn=dataset, items=[
        {"itemId": f"sku-{number}", "properties": f'{{"TITLE": "Lamp {number}"}}'} for number in range(8)])

    person = Person(browser, secure, "shop").enter()
    cookie = next(cookie for cookie in browser.get_cookies() if cookie["httpOnly"])
    assert cookie["secure"] and cookie["name"].startswith("__Host-"), cookie
    person.group("/placements").press("Make the usual five")
    person.group("/tracker").press("Make the tracker")
    assert "The tracker is there." in person.text, person.text
    snippet = person.all("#snippet")[0].get_attribute("textContent")
    assert f'src="{address}/tracker.js"' in snippet and f'endpoint: "{address}"' in snippet and "http://" not in snippet
    person.fill("origins", shop.url).press("Save")
    assert "Browsers may send from these origins" in person.text

    assert len(visit(browser, shop.add("/", SITE.format(snippet=snippet, placement="home-popular", order="tls-1")))) == 8
    buy_and_click(browser)
    until(lambda: purchases(secure, "tls-1") == "1|39.8000", say=lambda: purchases(secure, "tls-1"))


def test_a_plain_host_name_is_served_without_a_secure_context(browser, plain, shop):
    address = f"http://plain.test:{plain.port}"
    assert plain.value("Console") == f"{address}/console"
    person = Person(browser, plain, "shop").enter()
    person.group("/tracker")
    snippet = person.all("#snippet")[0].get_attribute("textContent")
    assert f'src="{address}/tracker.js"' in snippet
    site = f"http://shop.test:{shop.port}"
    person.fill("origins", site).press("Save")

    shop.add("/", SITE.format(snippet=snippet, placement="home-popular", order="plain-1"))
    assert len(visit(browser, site + "/")) == 8
    assert browser.run("return !isSecureContext && !crypto.randomUUID && !crypto.subtle")
    buy_and_click(browser)
    until(lambda: purchases(plain, "plain-1") == "1|39.8000", say=lambda: purchases(plain, "plain-1"))
    until(lambda: [row for row in events(person)[0] if "Click" in row and site in row], every=0.3)
