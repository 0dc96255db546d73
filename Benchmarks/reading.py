"""Ten million interactions read out of PostgreSQL by a training: seconds until each step of a popularity training begins.

The interactions are put into the table by SQL, since the import is a benchmark of its own. EVENTS says how many."""

import os
import pathlib
import subprocess
import time

from shop import INTERACTIONS, Shop

EVENTS = int(os.environ.get("EVENTS", 10_000_000))
GOAL = 30
LIMIT = 600

FILL = f"""
INSERT INTO interaction (dataset_id, part, user_id, item_id, event_type, value, occurred_at, ordinal)
SELECT 1, 5, (random() * 100000)::int, (random() * 20000)::int, 0, NULL, to_timestamp(1700000000 + g), g
FROM generate_series(1, {EVENTS}) g
"""
EVENT_TYPE = """
INSERT INTO event_type (dataset_group_id, id, name) SELECT 1, 0, 'view' WHERE NOT EXISTS (SELECT 1 FROM event_type)
"""
STEP = "SELECT state, message FROM job WHERE kind LIKE 'train%' ORDER BY id DESC LIMIT 1"


def psql(shop, *commands):
    """The last command's output."""
    arguments = [part for command in ("SET search_path = tastemaker", *commands) for part in ("-c", command)]
    socket = next(pathlib.Path(shop.folder).rglob(".s.PGSQL.*[0-9]")).parent
    command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", str(socket), "-U", "postgres", "tastemaker", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def train(shop):
    """Seconds from the request on at which each step was seen first, and at the end."""
    solution = shop.control.create_solution(
        name="popular", datasetGroupArn=shop.group, recipeArn="arn:aws:personalize:::recipe/aws-popularity-count",
        performAutoTraining=False)["solutionArn"]
    begun = time.monotonic()
    version = shop.control.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    steps = {}
    while time.monotonic() - begun < LIMIT:
        steps.setdefault(psql(shop, STEP), time.monotonic() - begun)
        described = shop.control.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
        if described["status"] == "ACTIVE":
            return steps, time.monotonic() - begun
        if described["status"] == "CREATE FAILED":
            raise SystemExit(described.get("failureReason"))
        time.sleep(0.2)
    raise SystemExit(f"The training took more than {LIMIT} s.")


def main():
    with Shop() as shop:
        shop.make_group()
        shop.add_dataset("INTERACTIONS", INTERACTIONS)
        psql(shop, "SELECT add_interaction_part(1, 5)", FILL, EVENT_TYPE, "ANALYZE interaction")
        steps, total = train(shop)
        for step, seconds in steps.items():
            print(f"{seconds:6.1f} s  {step.replace('|', ': ')}")
        reading = [seconds for step, seconds in steps.items() if "Reading" in step]
        after = [seconds for seconds in steps.values() if reading and seconds > reading[-1]]
        read = (after[0] if after else total) - (reading[0] if reading else 0)
        print(f"{EVENTS:,} interactions read in {read:.1f} s (goal {GOAL} s for ten million), trained in {total:.1f} s; load {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
