"""The tracker in a real browser: a page on `localhost`, the product on `127.0.0.1`, so two sites."""

import gzip
import hashlib
import json
import re
import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from conftest import until
from servers import PUBLIC, STUB

SOURCE = (PUBLIC / "tracker.source.js").read_text()


def page(collector, body="", options="{consent: 'granted'}", head="", title="Shop", nonce="n1"):
    """A shop page with the snippet as the product prints it."""
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}
<script nonce="{nonce}">{STUB}tm.load("KEY", Object.assign({{endpoint: "{collector.url}"}}, {options}));</script>
<script async nonce="{nonce}" src="{collector.url}/tracker.js"></script></head><body>{body}</body></html>"""


def ids(events):
    return [e["messageId"] for e in events]


def stored_keys(browser):
    return browser.run("return Object.keys(localStorage)")


def event_keys(browser):
    return [k for k in stored_keys(browser) if ".e." in k]


def quiet(claim, seconds):
    """`claim()` stays true for `seconds`: the only way to see that nothing happens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert claim()
        time.sleep(0.05)


# The file

def test_the_file_is_at_most_5_kb_and_made_from_its_source():
    code = (PUBLIC / "tracker.js").read_bytes()
    assert len(gzip.compress(code, 9)) <= 5120
    assert len(STUB) <= 320
    assert hashlib.sha256(SOURCE.encode()).hexdigest()[:16] in code.decode().split("\n")[0], "run scripts/minify-tracker"


def test_the_file_holds_no_eval_and_no_html_sink():
    code = (PUBLIC / "tracker.js").read_text()
    for word in ("eval(", "Function(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", ".style", "import("):
        assert word not in code, word


# Delivery

def test_a_visit_of_400_ms_is_delivered(browser, collector, shop):
    browser.get(shop.add("/", page(collector)))
    until(lambda: browser.run("return !!tm.version"))
    browser.run("tm.track('last')")
    browser.get("about:blank")
    until(lambda: collector.pages() and collector.named("last"))
    assert collector.preflights == 0
    assert collector.requests[0]["headers"]["Content-Type"].startswith("text/plain")


def test_an_entry_has_the_wire_format(browser, collector, shop):
    browser.get(shop.add("/p", page(collector, title="A page")) + "?q=1")
    browser.run("tm.track('Product Viewed', {product_id: 'sku-1'})")
    event = until(lambda: collector.named("Product Viewed"))[0]
    body = collector.requests[0]["body"]
    assert body["key"] == "KEY" and body["sentAt"].endswith("Z")
    assert event["type"] == "track" and event["properties"] == {"product_id": "sku-1"} and len(event["messageId"]) == 32
    assert re.fullmatch("[0-9a-f]{32}", event["anonymousId"]) and event["anonymousId"] == browser.run("return tm.anonymousId()")
    context = event["context"]
    assert context["page"] == {"path": "/p", "referrer": "", "title": "A page", "url": browser.current_url, "search": "?q=1"}
    assert context["library"]["name"] == "tastemaker" and context["consent"] == "granted" and context["gpc"] is False
    assert collector.requests[0]["headers"].get("Cookie") is None


def test_ten_events_go_without_waiting(browser, collector, shop):
    browser.get(shop.add("/", page(collector, options="{consent: 'granted', autoPage: false}")))
    until(lambda: browser.run("return !!tm.version"))
    started = time.monotonic()
    browser.run("for (let i = 0; i < 10; i++) tm.track('e' + i)")
    until(lambda: len(collector.stored()) == 10, 1.8)
    assert time.monotonic() - started < 1.8 and len(collector.requests) == 1


def test_events_made_offline_arrive_when_online(browser, collector, shop):
    browser.get(shop.add("/", page(collector)))
    until(lambda: collector.pages())
    browser.offline()
    browser.run("tm.track('made offline'); tm.flush()")
    quiet(lambda: not collector.named("made offline"), 0.5)
    assert len(event_keys(browser)) == 1
    browser.offline(False)
    until(lambda: collector.named("made offline"))
    until(lambda: not event_keys(browser))
    assert len(ids(collector.stored())) == len(set(ids(collector.stored())))


def test_a_500_then_200_loses_and_doubles_nothing(browser, collector, shop):
    collector.answers.extend([(500, {}), (503, {})])
    browser.get(shop.add("/", page(collector, options="{consent: 'granted', autoPage: false}")))
    browser.run("tm.track('a'); tm.track('b'); tm.flush()")
    until(lambda: len(collector.stored()) == 2)
    first, last = collector.requests[0]["body"]["batch"], collector.stored()
    assert ids(first) == ids(last), "a retry repeats its messageId"
    assert [r["status"] for r in collector.requests] == [500, 503, 202]
    until(lambda: not event_keys(browser))


def test_retry_after_is_honoured(browser, collector, shop):
    collector.answers.append((429, {"Retry-After": "3"}))
    browser.get(shop.add("/", page(collector)))
    browser.run("tm.flush()")
    until(lambda: len(collector.requests) == 1)
    started = time.monotonic()
    browser.run("tm.flush()")
    until(lambda: len(collector.requests) == 2)
    assert 2.8 < time.monotonic() - started < 5.5


@pytest.mark.parametrize("status", [400, 403, 413])
def test_what_no_retry_would_change_is_given_up(browser, collector, shop, status):
    collector.answers.append((status, {}))
    browser.get(shop.add("/", page(collector)))
    browser.run("tm.flush()")
    until(lambda: collector.requests)
    until(lambda: not event_keys(browser))
    assert not collector.stored()


def test_an_event_left_behind_goes_with_the_next_page(browser, collector, shop):
    shop.add("/next", page(collector))
    browser.get(shop.add("/", page(collector)))
    until(lambda: collector.pages())
    browser.offline()
    browser.run("tm.track('left behind')")
    browser.get("about:blank")
    browser.offline(False)
    browser.get(shop.url + "/next")
    until(lambda: collector.named("left behind"), 22)


def test_the_queue_keeps_the_newest_200(browser, collector, shop):
    browser.get(shop.add("/", page(collector, options="{consent: 'granted', autoPage: false}")))
    until(lambda: browser.run("return !!tm.version"))
    browser.offline()
    browser.run("for (let i = 0; i < 230; i++) tm.track('e' + i)")
    assert len(event_keys(browser)) <= 200
    assert browser.run("return Object.keys(localStorage).reduce((n, k) => n + localStorage[k].length, 0)") < 110_000
    browser.offline(False)
    until(lambda: collector.named("e229"), 12)
    until(lambda: not event_keys(browser))
    assert not collector.named("e0") and all(r["size"] < 60_000 for r in collector.requests)
    assert len(ids(collector.stored())) == len(set(ids(collector.stored())))


def test_two_tabs_send_nothing_twice(browser, collector, shop):
    address = shop.add("/", page(collector))
    browser.get(address)
    browser.switch_to.new_window("tab")
    browser.get(address)
    until(lambda: len(collector.pages()) == 2)
    for handle in browser.window_handles * 3:
        browser.switch_to.window(handle)
        browser.run("for (let i = 0; i < 7; i++) tm.track('e'); tm.flush()")
    until(lambda: len(collector.named("e")) >= 42)
    quiet(lambda: len(collector.named("e")) == 42, 2.2)
    assert len(set(ids(collector.stored()))) == 44
    assert len({e["anonymousId"] for e in collector.stored()}) == 1


@pytest.mark.parametrize("locks", [True, False])
def test_two_tabs_racing_for_the_same_leftovers_do_not_double(browser, collector, shop, locks):
    if not locks:
        browser.before_load("Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})")
    body = "".join(f'<iframe src="/frame?{i}"></iframe>' for i in range(4))
    shop.add("/frame", page(collector, options="{consent: 'granted', autoPage: false}"))
    browser.get(shop.add("/", body))
    browser.run("const all = [0, 1, 2, 3].map(i => window[i]); all.forEach(f => { for (let i = 0; i < 5; i++) f.tm.track('e') }); all.forEach(f => f.tm.flush())")
    until(lambda: len(collector.named("e")) >= 20)
    quiet(lambda: len(collector.named("e")) == 20, 1.2)
    assert len(set(ids(collector.stored()))) == 20


# Consent and privacy

def test_pending_stores_and_sends_nothing_until_granted(browser, collector, shop):
    browser.get(shop.add("/", page(collector, '<div data-tm-placement="home-1"></div>', "{consent: 'pending'}")))
    browser.run("tm.track('early', {n: 1}); tm.flush()")
    until(lambda: collector.asked)
    quiet(lambda: not collector.requests and not stored_keys(browser) and not browser.get_cookies(), 2.5)
    assert "anonymousId" not in collector.asked[0] and browser.run("return tm.anonymousId() === undefined")
    browser.run("tm.consent('granted')")
    early = until(lambda: collector.named("early"))[0]
    assert early["context"]["consent"] == "granted" and early["anonymousId"] == collector.pages()[0]["anonymousId"]
    until(lambda: len(collector.asked) == 2)
    assert collector.asked[1]["anonymousId"] == early["anonymousId"]


def test_pending_events_die_with_the_page(browser, collector, shop):
    browser.get(shop.add("/", page(collector, options="{consent: 'pending'}")))
    browser.run("tm.track('early')")
    browser.get(shop.add("/next", "<p>next"))
    quiet(lambda: not collector.requests and not stored_keys(browser), 0.8)


def test_denied_forgets_what_was_stored(browser, collector, shop):
    browser.get(shop.add("/", page(collector, '<div data-tm-placement="home-1"></div>', "{consent: 'granted', cookie: 'first-party'}")))
    until(lambda: collector.pages())
    assert stored_keys(browser) and browser.get_cookie("tm_id")
    browser.run("tm.consent('denied'); tm.track('late'); tm.flush()")
    assert not stored_keys(browser) and not browser.get_cookies()
    answer = browser.wait("return await tm.recommend({placement: 'home-1'})")
    assert answer["items"] and "anonymousId" not in collector.asked[-1]
    quiet(lambda: not collector.named("late"), 0.5)


def test_a_granted_consent_is_remembered_only_when_asked(browser, collector, shop):
    address = shop.add("/", page(collector, options="{consent: 'pending'}"))
    browser.get(address)
    browser.run("tm.consent('granted')")
    until(lambda: len(collector.pages()) == 1)
    browser.get(address)
    quiet(lambda: len(collector.pages()) == 1, 0.6)
    browser.run("tm.consent('granted', {remember: true})")
    until(lambda: len(collector.pages()) == 2)
    browser.get(address)
    until(lambda: len(collector.pages()) == 3)


@pytest.mark.parametrize("respected", [True, False])
def test_global_privacy_control(browser, collector, shop, respected):
    browser.before_load("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    options = "{consent: 'granted', respectGPC: %s}" % str(respected).lower()
    browser.get(shop.add("/", page(collector, '<div data-tm-placement="home-1"></div>', options)))
    until(lambda: collector.asked and browser.find_elements(By.CSS_SELECTOR, ".tm-card"))
    if respected:
        browser.run("tm.consent('granted'); tm.flush()")
        quiet(lambda: not collector.requests and not stored_keys(browser), 0.6)
        assert "anonymousId" not in collector.asked[0]
    else:
        assert until(lambda: collector.pages())[0]["context"]["gpc"] is True


def test_blocked_storage_still_delivers(browser, collector, shop):
    browser.before_load("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})")
    collector.answers.append((500, {}))
    browser.get(shop.add("/", page(collector)))
    browser.run("tm.track('kept in memory'); tm.flush()")
    until(lambda: collector.named("kept in memory"))
    assert collector.stored()[0]["anonymousId"] == browser.run("return tm.anonymousId()")


def test_a_full_storage_still_delivers(browser, collector, shop):
    browser.before_load("try { localStorage.clear(); for (let s = 'x'.repeat(1 << 20); s; s = s.slice(s.length >> 1)) try { for (let i = 0;; i++) localStorage['f' + s.length + i] = s } catch (e) { if (s.length == 1) break } } catch (e) {}")
    browser.get(shop.add("/", page(collector)))
    browser.run("tm.track('kept'); tm.flush()")
    until(lambda: collector.named("kept"))


def test_identify_carries_the_signature_and_reset_forgets(browser, collector, shop):
    browser.get(shop.add("/", page(collector)))
    browser.run("tm.identify('user-1', {plan: 'gold'}, {signature: 'ab12'}); tm.track('known'); tm.flush()")
    known = until(lambda: collector.named("known"))[0]
    assert known["userId"] == "user-1" and known["userSignature"] == "ab12"
    identify = [e for e in collector.stored() if e["type"] == "identify"][0]
    assert identify["properties"] == {"plan": "gold"}
    browser.wait("await tm.recommend({placement: 'home-1', itemId: 'sku/1', count: 2})")
    assert {"userId": "user-1", "userSignature": "ab12", "itemId": "sku/1", "count": "2"}.items() <= collector.asked[-1].items()
    browser.run("tm.reset(); tm.track('unknown'); tm.flush()")
    unknown = until(lambda: collector.named("unknown"))[0]
    assert "userId" not in unknown and unknown["anonymousId"] != known["anonymousId"]


def test_an_unsigned_user_is_not_used_for_reading(browser, collector, shop):
    browser.get(shop.add("/", page(collector)))
    browser.run("tm.identify('user-1')")
    browser.wait("await tm.recommend({placement: 'home-1'})")
    assert "userId" not in collector.asked[-1]


# Boxes, impressions, clicks

CARDS = """<div style="height: 1500px"></div><ul data-tm-placement="home-1" data-tm-rec="RID-1" data-tm-manual>
<li data-tm-item="a" style="height: 100px"><a href="/next">A</a></li><li data-tm-item="b" style="height: 100px"><a href="/next">B</a>
<button type="button">Add</button></li></ul><div style="height: 1500px"></div>"""


def test_an_impression_needs_half_the_card_for_a_second(browser, collector, shop):
    browser.get(shop.add("/", page(collector, CARDS)))
    until(lambda: collector.pages())
    browser.run("document.querySelector('ul').scrollIntoView({block: 'center'})")
    time.sleep(0.5)
    browser.run("scrollTo(0, 0)")
    quiet(lambda: not event_keys(browser), 1.5)
    browser.run("document.querySelector('ul').scrollIntoView({block: 'center'})")
    seen = until(lambda: len(collector.named("Impression")) == 2 and collector.named("Impression"))
    assert [(e["properties"]["product_id"], e["context"]["rec"]) for e in seen] == [
        ("a", {"id": "RID-1", "placement": "home-1", "position": 0}), ("b", {"id": "RID-1", "placement": "home-1", "position": 1})]
    browser.run("scrollTo(0, 0)")
    browser.run("document.querySelector('ul').scrollIntoView({block: 'center'})")
    quiet(lambda: len(collector.named("Impression")) == 2 and not event_keys(browser), 1.6)


@pytest.mark.parametrize("way", ["click", "middle click", "keyboard"])
def test_a_click_carries_its_recommendation(browser, collector, shop, way):
    shop.add("/next", "<p>next")
    browser.get(shop.add("/", page(collector, CARDS)))
    until(lambda: browser.run("return !!tm.version"))
    link = browser.find_elements(By.CSS_SELECTOR, "li a")[1]
    browser.run("arguments[0].scrollIntoView({block: 'center'})", link)
    if way == "click":
        link.click()
    elif way == "keyboard":
        link.send_keys(Keys.ENTER)
    else:
        box = browser.run("const r = arguments[0].getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]", link)
        for kind in ("mousePressed", "mouseReleased"):
            browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": box[0], "y": box[1], "button": "middle", "clickCount": 1})
    clicked = until(lambda: collector.named("Product Clicked"))
    assert clicked[0]["properties"] == {"product_id": "b"}
    assert clicked[0]["context"]["rec"] == {"id": "RID-1", "placement": "home-1", "position": 1}
    if way != "middle click":
        until(lambda: browser.current_url.endswith("/next"))
    quiet(lambda: len(collector.named("Product Clicked")) == 1, 0.3)


def test_a_button_on_a_card_is_no_click_on_the_product(browser, collector, shop):
    browser.get(shop.add("/", page(collector, CARDS)))
    until(lambda: browser.run("return !!tm.version"))
    ActionChains(browser.driver).move_to_element(browser.find_element(By.TAG_NAME, "button")).click().perform()
    browser.run("tm.flush()")
    until(lambda: collector.pages())
    assert not collector.named("Product Clicked")


def test_a_click_never_waits_for_the_network(browser, collector, shop):
    shop.add("/next", "<p>next")
    browser.get(shop.add("/", page(collector, CARDS)))
    until(lambda: collector.pages())
    assert browser.run("""const link = document.querySelector('li a'); let prevented;
        addEventListener('click', e => { prevented = e.defaultPrevented; e.preventDefault(); });
        const start = performance.now(); link.click(); return !prevented && performance.now() - start < 50""")


def test_a_box_fills_itself_and_its_text_is_text(browser, collector, shop):
    collector.changes = [{}, {"link": "javascript:alert(1)", "image": "javascript:alert(1)"}]
    browser.get(shop.add("/", page(collector, '<div data-tm-placement="home-1" data-tm-item-id="sku-9" data-tm-count="3">server</div>')))
    cards = until(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".tm-card")) == 3 and browser.find_elements(By.CSS_SELECTOR, ".tm-card"))
    assert {"placement": "home-1", "itemId": "sku-9", "count": "3", "key": "KEY"}.items() <= collector.asked[0].items()
    assert cards[0].get_attribute("href") == shop.url + "/item/0" and cards[1].tag_name == "div"
    assert cards[0].find_element(By.CSS_SELECTOR, ".tm-title").text == "Item <b>0</b>"
    assert cards[0].find_element(By.CSS_SELECTOR, ".tm-price").text == "€19.50"
    assert not cards[1].find_elements(By.TAG_NAME, "img") and collector.preflights == 0
    seen = until(lambda: len(collector.named("Impression")) == 3 and collector.named("Impression"))
    assert seen[2]["context"]["rec"] == {"id": f"RID-{1:025d}", "placement": "home-1", "position": 2}


@pytest.mark.parametrize("status, empty", [(500, False), (200, True)])
def test_a_box_that_fails_keeps_what_the_server_rendered(browser, collector, shop, status, empty):
    collector.recommend_status = status
    body = f'<div data-tm-placement="home-1" data-tm-count="{0 if empty else 4}"><p id="kept">Our classics</p></div>'
    browser.get(shop.add("/", page(collector, body)))
    until(lambda: browser.find_elements(By.CSS_SELECTOR, '[data-tm-state="failed"]'))
    assert browser.find_element(By.ID, "kept").text == "Our classics"
    assert browser.wait("let told; const r = await tm.render('[data-tm-placement]', {placement: 'home-1', count: '%d', fallback: el => { told = el.id = 'box' }}); return [r, told]" % (0 if empty else 4)) == [None, "box"]


TEMPLATE = """<template id="card"><li class="mine"><a data-tm-attr="href:link,onclick:title"><img alt="" data-tm-attr="src:image"></a>
<b data-tm-field="title"></b><i data-tm-field="price"></i><s data-tm-field="missing">x</s></li></template>"""


def test_a_box_uses_a_template(browser, collector, shop):
    collector.changes = [{}, {"link": "javascript:alert(1)", "image": "data:text/html,x"}]
    browser.get(shop.add("/", page(collector, TEMPLATE + '<ul data-tm-placement="home-1" data-tm-template="#card"></ul>')))
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "ul > li.mine")) == 4)
    card = browser.find_element(By.CSS_SELECTOR, "ul > li.mine")
    assert card.get_attribute("data-tm-item") == "sku-0" and card.find_element(By.TAG_NAME, "b").text == "Item <b>0</b>"
    link = card.find_element(By.TAG_NAME, "a")
    assert link.get_attribute("href") == shop.url + "/item/0" and link.get_attribute("onclick") is None
    assert browser.run("return document.querySelector('ul s').hidden")
    assert browser.run("const card = document.querySelectorAll('li.mine')[1]; return !card.querySelector('[href], [src]')")


def test_a_box_added_later_is_filled(browser, collector, shop):
    browser.get(shop.add("/", page(collector)))
    until(lambda: collector.pages())
    browser.run("const box = document.createElement('ul'); box.dataset.tmPlacement = 'late'; document.body.append(box)")
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, "ul > li > .tm-card")) == 4)
    quiet(lambda: len(collector.asked) == 1, 0.4)


def test_calls_before_the_file_arrives_are_kept(browser, collector, shop):
    head = f"""<script>{STUB}tm.load('KEY', {{endpoint: '{collector.url}', consent: 'granted'}}); tm.track('before');
        tm.recommend({{placement: 'home-1', count: 2}}).then(a => window.answer = a)</script>"""
    browser.get(shop.add("/", f"<!doctype html>{head}<script async src='{collector.url}/tracker.js'></script>"))
    assert len(until(lambda: browser.run("return window.answer"))["items"]) == 2
    until(lambda: collector.named("before"))


def test_it_loads_from_attributes_alone(browser, collector, shop):
    browser.get(shop.add("/", f"<!doctype html><title>x</title><script async src='{collector.url}/tracker.js' data-key='K2' data-consent='granted'></script>"))
    until(lambda: collector.pages())
    assert collector.requests[0]["body"]["key"] == "K2"


def test_a_purchase_and_a_cart_use_the_known_names(browser, collector, shop):
    browser.get(shop.add("/", page(collector)))
    browser.run("""tm.addToCart({id: 'a', price: 5, qty: 2});
        tm.purchase({orderId: 'o-1', total: 25.5, currency: 'EUR', items: [{id: 'a', qty: 2, price: 5}, {id: 'b', price: 15.5}]})""")
    order = until(lambda: collector.named("Order Completed"))[0]["properties"]
    assert order == {"order_id": "o-1", "total": 25.5, "currency": "EUR", "products": [
        {"product_id": "a", "quantity": 2, "price": 5}, {"product_id": "b", "quantity": 1, "price": 15.5}]}
    assert collector.named("Product Added")[0]["properties"] == {"product_id": "a", "quantity": 2, "price": 5}


# Pages

def test_a_single_page_application_counts_its_pages(browser, collector, shop):
    browser.get(shop.add("/", page(collector)))
    until(lambda: collector.pages())
    browser.run("history.pushState({}, '', '/two'); document.title = 'Two'")
    second = until(lambda: len(collector.pages()) == 2 and collector.pages()[1])
    assert second["context"]["page"]["path"] == "/two" and second["context"]["page"]["title"] == "Two"
    assert second["context"]["page"]["referrer"] == shop.url + "/"
    browser.run("history.replaceState({}, '', '/two?sort=price')")
    browser.run("history.pushState({}, '', '#top')")
    browser.run("history.back()")
    until(lambda: browser.current_url.endswith("=price"))
    browser.run("history.back()")
    until(lambda: len(collector.pages()) == 3, say=lambda: browser.current_url)
    quiet(lambda: len(collector.pages()) == 3, 2.3)
    assert collector.pages()[2]["context"]["page"]["path"] == "/"


def test_a_strict_policy_is_not_violated(browser, collector, shop):
    policy = (f"default-src 'none'; script-src 'nonce-n1' 'strict-dynamic'; connect-src {collector.url}; img-src 'self'; style-src 'self'; "
              "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp")
    body = TEMPLATE + '<ul data-tm-placement="home-1" data-tm-template="#card"></ul><div data-tm-placement="home-2"></div>'
    browser.get(shop.add("/", page(collector, body), {"Content-Security-Policy": policy}))
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".tm-card, .mine")) == 8)
    browser.run("document.querySelector('.tm-card').addEventListener('click', e => e.preventDefault()); document.querySelector('.tm-card').click()")
    until(lambda: collector.named("Product Clicked"))
    until(lambda: collector.named("Impression"))
    assert shop.reports == []


def test_the_strict_policy_reports_at_all(browser, shop):
    browser.get(shop.add("/", "<script>1</script>", {"Content-Security-Policy": "default-src 'none'; report-uri /csp"}))
    assert json.loads(until(lambda: shop.reports)[0])["csp-report"]["effective-directive"].startswith("script-src")


def test_a_plain_http_host_name_works_without_secure_context(browser, collector, shop):
    shop.add("/", page(collector, '<div data-tm-placement="home-1"></div>', options="{consent: 'granted', cookie: 'first-party'}"))
    shop.add("/next", "<p>next")
    browser.get(f"http://shop.test:{shop.port}/")
    assert browser.run("return !isSecureContext && !navigator.locks && !crypto.randomUUID")
    until(lambda: len(browser.find_elements(By.CSS_SELECTOR, ".tm-card")) == 4)
    until(lambda: collector.pages())
    browser.run("for (let i = 0; i < 3; i++) tm.track('plain'); tm.flush()")
    until(lambda: len(collector.named("plain")) == 3)
    browser.run("tm.track('last')")
    browser.get(f"http://shop.test:{shop.port}/next")
    until(lambda: collector.named("last"))
    assert browser.get_cookie("tm_id")["value"] == collector.pages()[0]["anonymousId"]
    assert len(set(ids(collector.stored()))) == len(collector.stored())


def test_a_page_restored_from_the_back_forward_cache_counts_again(browser, collector, shop):
    shop.add("/next", "<!doctype html><title>next</title>")
    browser.get(shop.add("/", page(collector)))
    until(lambda: collector.pages())
    browser.run("window.kept = true")
    browser.get(shop.url + "/next")
    browser.back()
    if not browser.run("return window.kept === true"):
        pytest.skip("this Chromium did not keep the page")
    until(lambda: len(collector.pages()) == 2)
