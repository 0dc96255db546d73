"""Every page of the console, signed in, over 10,000 items and 1,000,000 events of sixty days: time until the whole answer is there, and its size.

Items come by an import. What visitors did in sixty days cannot be sent in minutes, so it is copied into the tables as the doors would store it."""

import html.parser
import http.client
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse

from measuring import middle
from shop import INTERACTIONS, ITEMS, Shop, write_items

EVENTS = int(os.environ.get("EVENTS", "1000000"))
TIMES = int(os.environ.get("REQUESTS", "10"))
ITEM_COUNT = int(os.environ.get("ITEMS", "10000"))
GOAL_MS, GOAL_BYTES = 100, 50_000


class Database:
    """psql on the product's own cluster."""

    def __init__(self, folder):
        self.tool = str(sorted(pathlib.Path("/usr/lib/postgresql").iterdir())[-1] / "bin/psql")
        self.address = "postgresql://postgres@" + f"{folder}/run/pg".replace("/", "%2F") + "/tastemaker?options=-csearch_path%3Dtastemaker"

    def run(self, text):
        done = subprocess.run([self.tool, "-XqAt", "-v", "ON_ERROR_STOP=1", self.address], input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


# 5 visits a visitor, each of ten events and a list: 94 of 100 events are views, 4 clicks, 1.5 purchases, 0.5 refunds, a twentieth of the
# orders told twice. The experiment and the promotion ran from day 40 to day 12 before now.
FILL = """
SELECT setseed(0.5);
SELECT intern_event_types({group}, ARRAY['View', 'Click', 'Purchase', 'Refund']);
SELECT count(intern_users({group}, ARRAY(SELECT 'anonymous:v' || n FROM generate_series(lo, lo + 9999) n)))
FROM generate_series(1, {visitors}, 10000) lo;
SELECT add_interaction_part({dataset}, -to_char(now(), 'YYYYMM')::int);
INSERT INTO placement (dataset_group_id, name, title) VALUES ({group}, 'bench-home', 'Home');
INSERT INTO experiment (dataset_group_id, placement_id, name, state, seed, primary_metric, converting_event, window_days, started_at,
                        planned_end_at, stopped_at, stop_reason, created_by)
SELECT {group}, id, 'bench', 'running', 'bench', 'revenue', 'Purchase', 7, now() - interval '40 days', now() - interval '12 days', NULL, NULL, 'admin'
FROM placement WHERE name = 'bench-home';
INSERT INTO arm (experiment_id, ordinal, name, weight) SELECT e.id, o, 'Arm ' || o, 1 FROM experiment e, generate_series(0, 1) o;
INSERT INTO promotion (dataset_group_id, name, published_version, hold_out_seed) VALUES ({group}, 'bench', 1, 'bench');
INSERT INTO promotion_version (promotion_id, version, definition, created_by, created_at, published_at)
SELECT id, 1, '{definition}', 'admin', now() - interval '40 days', now() - interval '40 days' FROM promotion;
CREATE TEMP TABLE visit AS
SELECT n, u.id AS visitor, now() - random() * interval '60 days' AS at, (floor(extract(epoch FROM now()))::bigint << 21) + n AS key,
       hashint4(u.id) & 1 AS side, hashint4(u.id + 1) % 10 = 0 AS held
FROM generate_series(1, {events} / 10) n JOIN user_key u ON u.dataset_group_id = {group} AND u.external_id = 'anonymous:v' || 1 + n % {visitors};
INSERT INTO shown (key, dataset_group_id, shown_at, placement_id, arm_id, visitor_id, rung, items, promotions, live_promotions, held_promotions)
SELECT v.key, {group}, v.at, p.id, CASE WHEN in_test THEN a.id END, v.visitor, 'popular', ARRAY[1,2,3,4,5,6,7,8,9,10,11,12], '{{}}',
       CASE WHEN in_test THEN ARRAY[m.id] ELSE '{{}}' END, CASE WHEN in_test AND v.held THEN ARRAY[m.id] ELSE '{{}}' END
FROM (SELECT *, at BETWEEN now() - interval '40 days' AND now() - interval '12 days' AS in_test FROM visit) v
CROSS JOIN placement p CROSS JOIN promotion m JOIN arm a ON a.ordinal = v.side WHERE p.name = 'bench-home' ORDER BY v.at;
INSERT INTO exposure SELECT a.experiment_id, s.visitor_id, s.arm_id, min(s.shown_at) FROM shown s JOIN arm a ON a.id = s.arm_id GROUP BY 1, 2, 3;
CREATE TEMP TABLE done AS
SELECT visitor, v.at + e * interval '20 seconds' AS at, 1 + floor(random() * ({items} - 1))::int AS item, key, n, random() AS chance
FROM visit v CROSS JOIN generate_series(1, 10) e;
INSERT INTO interaction (dataset_id, part, user_id, item_id, event_type, occurred_at, ordinal, visitor_id, recommendation, order_id, amount, currency)
SELECT {dataset}, -to_char(now(), 'YYYYMM')::int, d.visitor, d.item, t.id, d.at, extract(epoch FROM d.at) * 1000000,
       d.visitor, CASE WHEN t.name = 'Click' THEN d.key END, CASE WHEN t.name IN ('Purchase', 'Refund') THEN 'o' || d.n END,
       CASE WHEN t.name IN ('Purchase', 'Refund') THEN 5 + round((d.chance * 1000)::numeric % 90, 2) END, CASE WHEN t.name = 'Purchase' THEN 'USD' END
FROM done d CROSS JOIN generate_series(1, 2) copy
JOIN event_type t ON t.dataset_group_id = {group}
     AND t.name = CASE WHEN d.chance < 0.94 THEN 'View' WHEN d.chance < 0.98 THEN 'Click' WHEN d.chance < 0.995 THEN 'Purchase' ELSE 'Refund' END
WHERE copy = 1 OR (t.name = 'Purchase' AND d.n % 20 = 0)
ORDER BY d.at;
"""


class Fields(html.parser.HTMLParser):
    """Hidden fields of a page by name."""

    def __init__(self, text):
        super().__init__()
        self.values = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "input" and given.get("type") == "hidden":
            self.values[given["name"]] = given.get("value", "")


class Console:
    def __init__(self, product):
        self.connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)
        self.host = f"127.0.0.1:{product.port}"
        self.cookies = {}

    def request(self, method, path, form=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self.host}"}
        self.connection.request(method, path, urllib.parse.urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        body = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        return answer, body

    def submit(self, path, **values):
        _, page = self.request("GET", path)
        answer, body = self.request("POST", path, Fields(page.decode()).values | values)
        assert answer.status in (302, 303), (path, answer.status, body[:2000])

    def sign_in(self, password):
        self.submit("/console/sign-in", login="admin", password=password)
        self.submit("/console/password", password="a passphrase of the benchmark")


def fill(shop):
    """The experiment's and the promotion's ids."""
    write_items(shop.bucket / "items.csv", ITEM_COUNT)
    shop.make_group()
    shop.load(shop.add_dataset("ITEMS", ITEMS), "items.csv", "items")
    shop.add_dataset("INTERACTIONS", INTERACTIONS)
    database = Database(shop.folder)
    group, dataset = database.run("SELECT dataset_group_id, id FROM dataset WHERE type = 'INTERACTIONS'").split("|")
    database.run("UPDATE dataset_group SET display_columns = '{\"title\": \"TITLE\", \"category\": \"CATEGORY\", \"price\": \"PRICE\"}', "
                 "time_zone = 'Europe/Berlin'")
    definition = json.dumps({"kind": "boost", "items": ["i1", "i2"], "placements": ["bench-home"], "factor": 2.0, "priority": 100, "holdOut": 0.1})
    database.run(FILL.format(group=group, dataset=dataset, visitors=EVENTS // 50, events=EVENTS, items=ITEM_COUNT, definition=definition))
    database.run(f"VACUUM ANALYZE")
    database.run(f"INSERT INTO activity_mark VALUES ({group}, '-infinity')")
    begun = time.monotonic()
    while database.run("SELECT count(*) FROM kept_outcome WHERE NOT is_stale") != "2":
        assert time.monotonic() < begun + 120, "the job worker did not count the reports"
        time.sleep(0.2)
    print(f"the job has counted the reports after {time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(database.run("SELECT (SELECT count(*) FROM interaction) || ' events, ' || (SELECT count(*) FROM shown) || ' lists, ' || "
                       "(SELECT count(*) FROM exposure) || ' units in the experiment'"), file=sys.stderr)
    return database, *database.run("SELECT (SELECT id FROM experiment), (SELECT id FROM promotion)").split("|")


def pages(experiment, promotion):
    group = ["", "/metrics", "/metrics?days=28", "/metrics/days.csv", "/metrics/placements.csv", "/experiments", f"/experiments/{experiment}",
             f"/experiments/{experiment}/report.csv", "/new-experiment", "/promotions", f"/promotions/{promotion}", f"/promotions/{promotion}/edit",
             "/new-promotion", "/placements", "/placements/bench-home", "/placements/bench-home/edit", "/items?q=item%209", "/items?q=no%20such",
             "/visitors?q=anonymous", "/visitor-ids?q=anonymous", "/data", "/upload", "/tracker", "/jobs", "/campaigns", "/solutions", "/new-solution", "/filters"]
    return [f"/console/groups/bench{path}" for path in group] + [
        "/console/groups", "/console/schemas", "/console/accounts", "/console/keys", "/console/audit", "/console/help", "/console/demo"]


def main():
    with Shop() as shop:
        begun = time.monotonic()
        database, experiment, promotion = fill(shop)
        console = Console(shop.product)
        console.sign_in(shop.product.value("Password"))
        print(f"filled in {time.monotonic() - begun:.0f} s; load {os.getloadavg()[0]:.1f}\n", file=sys.stderr)
        print("| page | median ms | slowest ms | bytes |\n| --- | --- | --- | --- |")
        slow = 0

        def measure(path, label, before=lambda: None):
            times = []
            for _ in range(TIMES):
                before()
                start = time.perf_counter()
                answer, body = console.request("GET", path)
                times.append((time.perf_counter() - start) * 1000)
                assert answer.status == 200, (path, answer.status, re.sub(rb"\s+", b" ", body)[:500])
            print(f"| {label} | {middle(times):.1f} | {max(times):.1f} | {len(body)} |", flush=True)
            return middle(times) > GOAL_MS or len(body) > GOAL_BYTES

        for path in pages(experiment, promotion):
            slow += measure(path, path.removeprefix("/console"))
        for path in ["", "/metrics", f"/experiments/{experiment}", f"/promotions/{promotion}"]:
            slow += measure(f"/console/groups/bench{path}", f"/groups/bench{path}, right after an event",
                            lambda: database.run("INSERT INTO activity_mark SELECT id, now() FROM dataset_group"))
        print(f"\n{slow} pages miss the goal of {GOAL_MS} ms and {GOAL_BYTES} bytes.")


if __name__ == "__main__":
    main()
