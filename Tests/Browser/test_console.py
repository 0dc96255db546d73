"""The console of the real product in Chromium: first sign-in, a file to a recommendation, every page for axe, and once without scripts."""

import random
import re
import subprocess

import pytest
from selenium.webdriver.common.by import By

from conftest import until
from person import Person
from running import Product, binary

GROUP = "lamp-shop"
LONG_FILTER = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View") | INCLUDE ItemID WHERE Items.CATEGORY IN ("Lamps", "Rugs") AND Items.PRICE > 20'


@pytest.fixture(scope="module")
def console():
    running = Product(arguments=["--no-demo"])
    try:
        yield running.start()
    finally:
        running.remove()


def table(rows):
    return "\n".join(",".join(str(cell) for cell in row) for row in rows) + "\n"


def shop_files(folder):
    """A small catalogue, and visitors who keep to one of four categories."""
    chance = random.Random(7)
    kinds = ["Lamps", "Chairs", "Rugs", "Shelves"]
    items = [(f"sku-{i}", f"{kinds[i % 4][:-1]} number {i}", kinds[i % 4], 10 + i) for i in range(80)]
    events = []
    for user in range(120):
        for step in range(14):
            item = chance.choice([i for i in range(80) if i % 4 == user % 4])
            events.append((f"user-{user}", f"sku-{item}", "View", 1_700_000_000 + user * 100 + step))
    paths = [folder / "items.csv", folder / "interactions.csv"]
    paths[0].write_text(table([("ITEM_ID", "TITLE", "CATEGORY", "PRICE"), *items]))
    paths[1].write_text(table([("USER_ID", "ITEM_ID", "EVENT_TYPE", "TIMESTAMP"), *events]))
    return paths


def test_from_the_first_sign_in_to_a_recommendation(browser, console, tmp_path):
    pages = Person(browser, console, GROUP)
    pages.enter()
    assert pages.heading == "First steps"
    pages.open("/console/new-group").fill("name", GROUP).fill("timeZone", "Europe/Berlin").fill("currency", "EUR").press("Make it")
    assert pages.heading == "Today"

    pages.group("/upload")
    browser.find_element(By.NAME, "file").send_keys("\n".join(str(path) for path in shop_files(tmp_path)))
    pages.press("Look at it")
    assert pages.heading == "This is what would be stored", pages.text
    assert "Lamp number 0" in pages.text
    browser.shot("console-preview")
    pages.press("Import")
    assert "2 imports have begun" in pages.text, pages.text

    def imported():
        pages.group("/data")
        return pages.text.count("active") >= 4 and "waiting" not in pages.text and "in progress" not in pages.text
    until(imported, 60, every=0.5, say=lambda: pages.text)
    assert "1,680" in pages.text

    pages.group("/new-solution").fill("name", "for-you").press("Make it")
    pages.press("Train now")
    def trained():
        browser.refresh()
        return "active" in browser.find_element(By.ID, "training").text
    until(trained, 90, every=0.5, say=lambda: pages.text)
    assert "mrr@25" in pages.text
    browser.shot("console-version")

    pages.group("/new-campaign?solution=for-you").press("Make it")
    pages.fill("user", "user-0")
    browser.find_element(By.NAME, "user").send_keys("\t")
    pages.press("Show")
    assert "from the model" in pages.text, pages.text
    titles = [card.text for card in browser.find_elements(By.CSS_SELECTOR, ".cards li")]
    assert len(titles) == 10
    assert sum("Lamps" in title for title in titles) >= 5, titles
    assert "because of" in pages.text
    browser.shot("console-try")


def test_a_version_says_what_it_is_made_of_and_compares_with_another(browser, console):
    pages = Person(browser, console, GROUP)
    pages.sign_in()
    pages.group("/solutions/for-you").press("Train now")
    def trained():
        browser.refresh()
        return "active" in browser.find_element(By.ID, "training").text
    until(trained, 90, every=0.5, say=lambda: pages.text)
    headings = [heading.text for heading in pages.all("h2")]
    assert headings[:4] == ["Training", "How good it is", "What it is made of", "What its lists are like"], headings
    for name in ["ndcg@10", "precision@10", "recall@10", "coverage@10", "popular@10"]:
        assert name in pages.text
    parts = [row.text for row in pages.all("[aria-label='Parts'] tbody tr")]
    assert parts and sum(int(re.search(r"(\d+) %", part).group(1)) for part in parts) in (99, 100, 101), parts
    assert len(pages.all("svg[aria-labelledby^='tenths'] rect")) == 20

    pages.choose("with", browser.find_element(By.CSS_SELECTOR, "#with option:nth-child(2)").text)
    until(lambda: "Difference" in pages.text, say=lambda: pages.text)
    # The same data and the same seed: the same model.
    differences = [cell.text for cell in pages.all("[aria-label='Figures'] tbody td:nth-child(4)")]
    assert differences and set(differences) == {"0"}, differences
    faults = []
    browser.get_log("browser")
    for width, height, dark in [(1280, 900, False), (1280, 900, True), (390, 844, False), (390, 844, True)]:
        browser.size(width, height, dark)
        browser.size(width, browser.run("return document.documentElement.scrollHeight"), dark)
        browser.shot(f"console-version-{width}-{'dark' if dark else 'light'}")
        faults += browser.page_faults(f"{pages.path} {width} {dark}")
    assert faults == []


def test_a_re_ranking_is_tried_first_and_then_stored(browser, console):
    pages = Person(browser, console, GROUP)
    pages.sign_in()
    pages.group("/campaigns/for-you?try=1&user=user-0")
    def kinds():
        return {word for card in pages.all(".cards li") for word in ["Lamps", "Chairs", "Rugs", "Shelves"] if word in card.text}
    assert "Re-ranking: off" in pages.text
    pages.all("details summary")[0].click()
    pages.choose("cap1", "CATEGORY").fill("most1", "3").press("Show")
    assert len(kinds()) == 4
    assert "re-ranked from place" in pages.text
    assert "Re-ranking: off" in pages.text
    pages.press("Store this re-ranking")
    assert "Lists are re-ranked now: at most 3 of one CATEGORY." in pages.text
    pages.group("/campaigns/for-you?try=1&user=user-0")
    assert len(kinds()) == 4
    browser.shot("console-re-ranking")
    pages.fill("most1", "").press("Show")
    pages.press("Store this re-ranking")
    assert "The campaign re-ranks nothing any more." in pages.text


PAGES = ["", "/data", "/items", "/items?q=lamp", "/upload", "/solutions", "/new-solution", "/solutions/for-you", "/campaigns", "/new-campaign",
         "/campaigns/for-you?try=1&user=user-0", "/campaigns/for-you?exploration=1", "/campaigns/for-you?try=1", "/recommenders",
         "/filters", "/tracker", "/visitors", "/visitors?user=user-0", "/jobs", "/filters/shown/delete", "/campaigns/for-you/delete"]
OTHER = ["/console/groups", "/console/new-group", "/console/schemas", "/console/keys", "/console/accounts", "/console/audit", "/console/help",
         "/console/password"]


def test_every_page_is_accessible_and_fits(browser, console):
    pages = Person(browser, console, GROUP)
    pages.sign_in()
    pages.group("/tracker")
    if "Make the tracker" in pages.text:
        pages.press("Make the tracker")
    pages.group("/filters").fill("name", "shown").fill("filterExpression", LONG_FILTER).press("Check and store")
    faults = []
    browser.get_log("browser")
    for path in [f"/console/groups/{GROUP}{page}" for page in PAGES] + OTHER:
        pages.open(path)
        faults += browser.page_faults(path)
        if path.endswith(("/filters", "/data", "/solutions", "/solutions/for-you", "/campaigns")):
            browser.size(390, 900)
            faults += browser.run(
                "return [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.ariaLabel + ' scrolls')")
    assert faults == []


def test_an_item_is_picked_by_typing(browser, console):
    pages = Person(browser, console, GROUP)
    pages.sign_in()
    pages.group("/campaigns/for-you")
    browser.find_element(By.NAME, "user").send_keys("user-11")
    options = until(lambda: browser.find_elements(By.CSS_SELECTOR, "[role='option']"))
    assert options[0].text.startswith("user-11")


def test_signing_out_needs_no_script_and_ends_the_session(browser, console):
    pages = Person(browser, console, GROUP)
    pages.sign_in()
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    pages.open("/console/new-group").fill("name", "no script").press("Make it")
    assert "begins with a letter or a digit" in pages.text, pages.text
    pages.fill("name", "no-script").fill("timeZone", "UTC").fill("currency", "USD").press("Make it")
    assert pages.heading == "Today"
    pages.group("/campaigns/for-you?try=1&user=user-1")
    assert "from the model" in pages.text
    pages.group("/filters").fill("name", "dear").fill("filterExpression", "INCLUDE ItemID WHERE Items.PRICE > 20").press("Check and store")
    for answer, is_there in [("Keep it", True), ("Delete", False)]:
        pages.leave(browser.find_element(By.CSS_SELECTOR, "[aria-label='Delete dear']"))
        assert pages.heading == "Delete the filter dear?"
        pages.follow(answer) if is_there else pages.press(answer)
        assert (len(pages.all("[aria-label='Delete dear']")) == 1) == is_there, pages.text
    pages.leave(browser.find_element(By.CSS_SELECTOR, "body > header form[method='post'] button"))
    assert pages.heading == "Sign in"
    pages.group()
    assert pages.heading == "Sign in"


def test_a_wrong_password_says_nothing_about_the_login(browser, console):
    pages = Person(browser, console, GROUP)
    pages.sign_in("nobody", "wrong")
    assert "Login or password is wrong." in pages.text


def test_a_link_from_the_command_line_opens_an_account_of_a_role(browser, console):
    data = ["--data", f"{console.folder}/data", "--run", f"{console.folder}/run", "--listen", f"127.0.0.1:{console.port}"]
    made = subprocess.run([binary(), "account", "add", "ada", "--role", "analyst", *data], capture_output=True, text=True, timeout=30)
    link = re.search(r"http\S+secret=\S+", made.stdout)
    assert link, made.stdout + made.stderr
    listed = subprocess.run([binary(), "account", "list", *data], capture_output=True, text=True, timeout=30)
    assert re.search(r"ada +analyst +waits", listed.stdout), listed.stdout + listed.stderr
    pages = Person(browser, console, GROUP)
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.get(link.group())
    pages.fill("password", "another passphrase").press("Set password")
    assert pages.path.startswith("/console/groups/")
    links = [link.text for link in browser.find_elements(By.CSS_SELECTOR, "body > nav a")]
    assert "Metrics" in links and "Keys" not in links and "Jobs" not in links
    pages.open("/console/keys")
    assert pages.heading == "Not allowed"
    browser.get(link.group())
    assert pages.heading == "This link is no longer good"
