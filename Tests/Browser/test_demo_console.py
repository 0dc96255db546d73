"""Journeys at the console of the demo shop: a marketer's promotion, an analyst's reports, a new experiment, and every page for axe."""

import datetime
import json
import os
import re
import subprocess
import sys

import pytest
from selenium.webdriver.common.by import By

from conftest import until
from person import Person

GROUP = "demo-shop"
FINISHED = "For you instead of best sellers (simulated)"
BROKEN = "Larger cards, broken in one browser (simulated)"


@pytest.fixture
def person(browser, demo):
    return Person(browser, demo, GROUP).enter()


def titles(person, heading=None):
    """Titles of the cards below a heading of the page, or of all cards."""
    path = "//main//ul[contains(@class, 'cards')]" if heading is None else f"//main//h3[text()='{heading}']/following-sibling::ul[1]"
    return [card.text for card in person.browser.find_elements(By.XPATH, path + "/li/strong")]


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_marketer_pins_an_item_previews_publishes_and_takes_it_back(person, scripts):
    browser = person.browser
    name = f"Weekend {'with' if scripts else 'without'} scripts"
    person.group("/placements/home-popular")
    first = titles(person)[0]
    if not scripts:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})

    person.group("/new-promotion").fill("name", name)
    if scripts:
        person.pick("find", "tent")
        person.press("Add the item")
    else:
        person.fill("find", "tent").press("Add the item")
        assert "Which of these?" in person.text
        choice = next(label for label in person.all("label.choice") if label.find_elements(By.CSS_SELECTOR, "input[name='item']:not(:checked)"))
        choice.click()
        person.fill("find", "").press("Add the item")
    chosen = [label.text for label in person.all("label.choice") if label.find_elements(By.CSS_SELECTOR, "input[name='item']")]
    assert len(chosen) == 1 and "tent" in chosen[0].lower(), chosen
    item = chosen[0]
    place = next(label for label in person.all("label.choice") if label.text == "Home: popular")
    place.click()
    person.fill("holdOut", "0").fill("priority", "1")

    # Before its first day it changes nothing, on that day it does; nobody else sees either.
    day = datetime.date.today() + datetime.timedelta(days=3)
    if scripts:
        person.set_moment("startsAt", f"{day}T00:00").set_moment("previewAt", f"{day - datetime.timedelta(days=1)}T12:00")
        person.choose("previewPlacement", "Home: popular").press("Preview")
        assert "Nothing changes here for this visitor." in person.text, person.text
        person.set_moment("previewAt", f"{day}T12:00").fill("previewVisitor", "visitor-17").press("Preview")
    else:
        person.choose("previewPlacement", "Home: popular").fill("previewVisitor", "visitor-17").press("Preview")
    assert "1 item is new in the list" in person.text, person.text
    assert titles(person, "With it")[0] == item and item not in titles(person, "Without it")
    browser.shot(f"promotion-preview-{'scripts' if scripts else 'plain'}")
    if scripts:
        person.set_moment("startsAt", "")

    person.press("Save and publish")
    assert f"{name} is published" in person.text, person.text
    person.group("/placements/home-popular")
    assert titles(person)[0] == item
    assert name in person.all(".cards li")[0].text, "the card says why it is there"

    person.group("/promotions").follow(name)
    person.press("Take out of force")
    person.group("/placements/home-popular")
    assert titles(person)[0] == first


def test_a_version_of_a_promotion_is_published_again_with_one_click(person):
    person.group("/new-promotion").fill("name", "Two versions")
    person.pick("find", "rug")
    person.press("Add the item").fill("holdOut", "0").press("Save and publish")
    person.follow("Edit and preview").fill("position", "3").fill("note", "Lower down").press("Save and publish")
    assert "pin from position 3" in person.text and "Lower down" in person.text
    again = next(button for button in person.all("#history button") if "version 1" in button.get_attribute("textContent"))
    person.leave(again)
    assert "Version 1 is in force again." in person.text
    assert "pin from position 1" in person.all("dl")[0].text
    person.press("Undo")
    assert "pin from position 3" in person.all("dl")[0].text
    person.press("Take out of force").press("Archive")
    assert "Two versions is archived." in person.text


def test_the_command_line_client_gets_recommendations(demo):
    environment = dict(
        os.environ, AWS_ACCESS_KEY_ID=demo.value("Key id"), AWS_SECRET_ACCESS_KEY=demo.value("Secret"), AWS_DEFAULT_REGION="us-east-1",
        AWS_PAGER="", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")

    def aws(*arguments):
        command = [sys.executable, "-m", "awscli", *arguments, "--endpoint-url", demo.url, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    campaigns = aws("personalize", "list-campaigns")["campaigns"]
    arn = next(campaign["campaignArn"] for campaign in campaigns if campaign["name"].endswith("for-you"))
    answer = aws("personalize-runtime", "get-recommendations", "--campaign-arn", arn, "--user-id", "visitor-17", "--num-results", "3")
    assert len(answer["itemList"]) == 3 and answer["recommendationId"]


def test_an_analyst_reads_the_finished_experiment_and_is_not_misled_by_the_broken_one(person):
    person.group("/experiments").follow(FINISHED)
    assert "the figures are final" in person.text or "The planned end has come" in person.text
    verdict = person.all(".verdict")[0].text
    assert "For you" in verdict, verdict
    rows = [row.text for row in person.all("[aria-label='Differences'] tbody tr")]
    assert any(re.match(r"Conversion rate\s+decides", row) for row in rows), rows
    assert "as it should be" in person.text
    person.browser.shot("experiment-finished")
    person.group("/experiments").follow(BROKEN)
    assert "the comparison means nothing and is hidden" in person.text
    assert not person.all(".verdict") and not person.all("[aria-label='Differences']")
    assert person.all("[aria-label='Split by day'] tbody tr")
    person.browser.shot("experiment-broken")


def test_an_experiment_needs_an_end_and_tells_what_it_can_see(person):
    name = "Popular against personal"
    person.group("/new-experiment").fill("name", name)
    assert person.all("select[name='primaryMetric']") and person.all("input[name='plannedEnd'][required]")
    person.browser.run("document.querySelector('main form').noValidate = true")
    person.press("Make a draft")
    assert "Choose the day on which the result is read." in person.text
    end = datetime.date.today() + datetime.timedelta(days=21)
    person.choose("placement", "Home: popular").choose("primaryMetric", "conversion rate").set_moment("plannedEnd", str(end))
    person.press("How large an effect could it see?")
    forecast = re.search(r"[^.\n]*conversion[^\n]*", person.text)
    assert forecast and re.search(r"\d", forecast[0]), person.text
    person.press("Make a draft")
    assert person.heading == name and "nobody takes part yet" in person.text
    person.press("Start")
    assert "Differences are hidden until the planned end" in person.text and not person.all(".verdict")
    person.browser.shot("experiment-running")
    person.fill("reason", "enough").press("Stop").follow("Delete").press("Delete")
    assert "The experiment is deleted." in person.text


PAGES = ["", "/placements", "/placements/home-for-you", "/placements/product-similar", "/placements/home-for-you/edit", "/new-placement",
         "/promotions", "/promotions?archived=1", "/new-promotion", "/experiments", "/new-experiment", "/metrics", "/tracker", "/items",
         "/data", "/solutions", "/campaigns", "/filters", "/jobs", "/upload"]


def test_every_page_of_a_full_shop_is_accessible_and_fits(person):
    browser = person.browser
    more = []
    for listing in ["/promotions", "/experiments", "/campaigns", "/solutions"]:
        person.group(listing)
        links = [link.get_attribute("href").removeprefix(f"{person.base}/console/groups/{GROUP}") for link in person.all("table tbody a")]
        more += links[:3] if listing == "/experiments" else links[:1]
    more += [link + "/edit" for link in more if "/promotions/" in link]
    more += [link + "?try=1&user=visitor-17" for link in more if "/campaigns/" in link]
    assert len(more) >= 8, more
    faults = []
    browser.get_log("browser")
    for path in [f"/console/groups/{GROUP}{page}" for page in PAGES + more] + ["/console/demo"]:
        person.open(path)
        assert person.heading not in ("Not found", "Not allowed"), path
        faults += browser.page_faults(path)
    assert faults == []
