"""A first project by boto3 alone: from the schema to the first recommendation, and a put event until the answer changes.

BENCH_DATA names a folder with interactions.csv.gz in Personalize's layout; else 100,000 interactions are generated."""

import csv
import gzip
import os
import pathlib
import time

from shop import INTERACTIONS, Shop, write_interactions


def place_data(shop):
    folder = os.environ.get("BENCH_DATA")
    target = shop.bucket / "interactions.csv"
    if not folder:
        write_interactions(target, 700, 9_000, 100_000)
        return "100,000 generated interactions"
    with gzip.open(pathlib.Path(folder, "interactions.csv.gz"), "rt", newline="") as source, open(target, "w", newline="") as out:
        rows = csv.reader(source)
        header = next(rows)
        keep = [header.index(name) for name in ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE")]
        writer = csv.writer(out)
        writer.writerow([header[index] for index in keep])
        count = 0
        for row in rows:
            writer.writerow([row[index] for index in keep])
            count += 1
    return f"{count:,} interactions of {pathlib.Path(folder).name}"


def main():
    with Shop() as shop:
        what = place_data(shop)
        begun = time.monotonic()
        shop.make_group()
        imported = shop.load(shop.add_dataset("INTERACTIONS", INTERACTIONS), "interactions.csv", "interactions")
        version, trained = shop.train("aws-user-personalization", "first")
        campaign = shop.deploy(version, "first")
        first = shop.runtime.get_recommendations(campaignArn=campaign, userId="1", numResults=25)
        total = time.monotonic() - begun
        print(f"{what}: schema to first recommendation {total:.1f} s (import {imported:.1f} s, training with evaluation {trained:.1f} s).")
        print("Metrics:", shop.control.get_solution_metrics(solutionVersionArn=version)["metrics"])
        tracker = shop.control.create_event_tracker(name="first", datasetGroupArn=shop.group)["trackingId"]
        user, item = "a-new-visitor", first["itemList"][3]["itemId"]
        before = [row["itemId"] for row in shop.runtime.get_recommendations(campaignArn=campaign, userId=user)["itemList"]]
        begun = time.monotonic()
        shop.events.put_events(trackingId=tracker, userId=user, sessionId="s", eventList=[
            {"eventType": "View", "itemId": item, "sentAt": int(time.time())}])
        stored = time.monotonic() - begun
        calls = 0
        while True:
            calls += 1
            after = [row["itemId"] for row in shop.runtime.get_recommendations(campaignArn=campaign, userId=user)["itemList"]]
            if after != before or calls == 100:
                break
        print(f"PutEvents {stored * 1000:.1f} ms; the answer changed at call {calls}, {(time.monotonic() - begun) * 1000:.1f} ms after the put began.")


if __name__ == "__main__":
    main()
