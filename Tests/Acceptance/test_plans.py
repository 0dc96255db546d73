"""The plans of the queries that every request makes, as PostgreSQL chose them for the running product beside large tables."""

import pathlib
import re
import time

import pytest

from running import wait_until
from signing import Caller, recommend

# Another tenant's rows: what a scan of the whole table would have to read.
NEIGHBOUR = """
INSERT INTO tastemaker.user_key SELECT 9999, n, 'n' || n FROM generate_series(1, 100000) n ON CONFLICT DO NOTHING;
INSERT INTO tastemaker.item_key SELECT 9999, n, 'n' || n FROM generate_series(1, 30000) n ON CONFLICT DO NOTHING;
INSERT INTO tastemaker.history SELECT 9999, n, decode(repeat('00', 45), 'hex') FROM generate_series(1, 100000) n ON CONFLICT DO NOTHING;
INSERT INTO tastemaker.event_key SELECT 9999, gen_random_uuid(), current_date FROM generate_series(1, 200000) n;
ANALYZE tastemaker.user_key, tastemaker.item_key, tastemaker.history, tastemaker.event_key;
"""
# What would be found, if it were there.
SCAN = "SELECT max(length(entries)) FROM tastemaker.history"
BIG = ["user_key", "item_key", "history", "event_key", "user_record", "interaction"]


@pytest.fixture(scope="module")
def plans(shop):
    """(statement, plan) of what a few requests made the server do."""
    shop.sql(NEIGHBOUR)
    shop.sql("ALTER ROLE tastemaker_app SET session_preload_libraries = 'auto_explain'; "
             "ALTER DATABASE tastemaker SET auto_explain.log_min_duration = 0")
    try:
        shop.restart()
        caller = Caller(shop)
        for number in range(3):
            assert recommend(caller, shop, "visitor-1").status == 200
            assert caller.signed("/events", {"trackingId": shop.tracking, "userId": f"plan-{number}", "sessionId": "plan", "eventList": [
                {"eventType": "View", "itemId": shop.item, "sentAt": int(time.time())}]}).status == 200
            assert caller.signed("/", {"campaignArn": shop.campaign}, "DescribeCampaign").status == 200
        shop.sql(f"LOAD 'auto_explain'; {SCAN}")
        log = lambda: "".join(path.read_text() for path in pathlib.Path(shop.data, "pg/log").iterdir())
        wait_until(lambda: SCAN in log(), 10, "the last plan is written")
        text = log()
    finally:
        shop.sql("ALTER ROLE tastemaker_app RESET session_preload_libraries; ALTER DATABASE tastemaker RESET ALL")
        for table in ("user_key", "item_key", "history", "event_key"):
            shop.sql(f"DELETE FROM tastemaker.{table} WHERE dataset_group_id = 9999")
        shop.restart()
    found = []
    for entry in re.split(r"\n(?=\d{4}-\d\d-\d\d )", text):
        match = re.search(r"plan:\n\tQuery Text: (.*?)\n\t(?=\S[^\n]*\(cost=)(.*)", entry, re.S)
        if match:
            found.append((match[1], match[2]))
    return found


@pytest.mark.parametrize("words", [
    ["JOIN group_revision r", "LEFT JOIN history h"],
    ["event_key"],
    ["user_key", "external_id"],
    ["item_key", "external_id"],
    ["FOR UPDATE", "history"],
    ["access_key"],
    ["FROM event_tracker"],
    ["campaign"],
    ["SKIP LOCKED"],
], ids=["visitor", "de-duplication", "users", "items", "histories", "keys", "trackers", "campaigns", "jobs"])
def test_no_hot_query_reads_a_whole_large_table(plans, words):
    chosen = [(query, plan) for query, plan in plans if all(word in query for word in words)]
    assert chosen, sorted({query[:120] for query, _ in plans})
    for query, plan in chosen:
        assert scans(plan) == [], f"{query}\n{plan}"


def test_a_scan_of_a_large_table_would_be_seen(plans):
    assert [scans(plan) for query, plan in plans if SCAN in query] == [["history"]]


def scans(plan):
    """The large tables that a plan reads from one end to the other."""
    tables = re.findall(r"Seq Scan on (\w+)", plan)
    return [table for table in tables if any(table == big or table.startswith(big + "_") for big in BIG)]
