"""console.js on small pages: it only saves reloads and typing."""

import json

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from conftest import until

HEAD = '<!doctype html><html lang="en"><title>x</title><link rel="stylesheet" href="/console.css"><script src="/console.js" defer></script>'


def test_slash_focuses_the_search_but_not_while_typing(browser, shop):
    browser.get(shop.add("/", HEAD + '<body><input data-search id="q"><input id="other">'))
    browser.find_element(By.TAG_NAME, "body").send_keys("/")
    assert browser.run("return document.activeElement.id") == "q"
    other = browser.find_element(By.ID, "other")
    other.send_keys("a/b")
    assert other.get_attribute("value") == "a/b" and browser.run("return document.activeElement.id") == "other"


def test_a_progress_box_renews_itself_until_done(browser, shop):
    box = '<div id="job" data-refresh="1">62 %</div><input id="kept" value="typed">'
    browser.get(shop.add("/", HEAD + "<body>" + box))
    browser.run("document.getElementById('kept').value = 'still here'")
    shop.add("/", HEAD + '<body><div id="job">done</div>')
    until(lambda: browser.find_element(By.ID, "job").text == "done")
    assert browser.find_element(By.ID, "kept").get_attribute("value") == "still here"


def test_the_picker_finds_by_title_and_gives_the_id(browser, shop):
    items = [{"itemId": "sku-1", "title": "Lamp <i>one</i>", "price": "€5"}, {"itemId": "sku-2", "title": "Lamp two", "image": "javascript:1"}]
    shop.add("/items", json.dumps({"items": items}))
    browser.get(shop.add("/", HEAD + '<body><form><div class="picker" data-picker="/items"><label for="item">Item</label><input id="item" name="item"></div></form>'))
    field = browser.find_element(By.ID, "item")
    field.send_keys("lam")
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "[role=option]")) == 2)
    assert browser.find_element(By.CSS_SELECTOR, "[role=option] span").text == "Lamp <i>one</i>"
    assert not browser.find_elements(By.CSS_SELECTOR, "[role=option] img")
    assert browser.axe() == []
    field.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    assert field.get_attribute("value") == "Lamp two"
    chosen = "return new FormData(document.querySelector('form')).get('itemId')"
    assert browser.run(chosen) == "sku-2"
    field.send_keys("x")
    assert browser.run(chosen) == ""
