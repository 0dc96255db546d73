"""Import of 1,000,000 interactions: seconds, processor seconds, the steps, the peak memory of the job worker, and the ratio to psql's \\copy."""

import os
import pathlib
import re
import subprocess
import time

from measuring import middle, peak_megabytes, tree_seconds
from running import children
from shop import INTERACTIONS, Shop, write_interactions

ROUNDS = int(os.environ.get("ROUNDS", 1))

# The floor: the file as it is, in the columns and with the index that a part of the interactions has.
FLOOR = """
CREATE SCHEMA floor;
CREATE TABLE floor.interaction (user_id text COLLATE "C" NOT NULL, item_id text COLLATE "C", occurred_at bigint NOT NULL, event_type text NOT NULL);
CREATE INDEX ON floor.interaction USING brin (occurred_at);
"""


def psql(shop, *commands):
    arguments = [part for command in commands for part in ("-c", command)]
    socket = next(pathlib.Path(shop.folder).rglob(".s.PGSQL.*[0-9]")).parent
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", str(socket), "-U", "postgres", "tastemaker", *arguments], check=True)


def measured(shop, body):
    """Seconds on the clock, and on a processor of everything that the product runs."""
    root = shop.product.process.pid
    busy, begun = tree_seconds(root), time.monotonic()
    body()
    return time.monotonic() - begun, tree_seconds(root) - busy


def steps(log):
    """What the worker's log tells of the last import."""
    lines = [line for line in log.splitlines() if "import step" in line]
    found = [(re.search(r'"?step"?[=:]\s*"?([a-z ]+?)"?(?=[,}]| \w+=|$)', line), re.search(r'"?seconds"?[=:]\s*"?([\d.]+)', line)) for line in lines]
    return ", ".join(f"{step[1].strip()} {float(seconds[1]):.1f}" for step, seconds in found if step and seconds)


def main():
    ratios = []
    for _ in range(ROUNDS):
        with Shop() as shop:
            file = shop.bucket / "interactions.csv"
            write_interactions(file, 100_000, 20_000, 1_000_000)
            shop.make_group()
            dataset = shop.add_dataset("INTERACTIONS", INTERACTIONS)
            worker = next(pid for pid, line in children(shop.product.process.pid).items() if line.split()[1:2] == ["work"])
            psql(shop, FLOOR)
            floor, _ = measured(shop, lambda: psql(shop, f"\\copy floor.interaction FROM '{file}' (FORMAT csv, HEADER)"))
            psql(shop, "DROP SCHEMA floor CASCADE")
            before = peak_megabytes(worker)
            seconds, busy = measured(shop, lambda: shop.load(dataset, "interactions.csv", "million"))
            ratios.append(seconds / floor)
            print(f"1,000,000 interactions imported in {seconds:.1f} s, {busy:.1f} CPU-s; peak memory of the job worker "
                  f"{peak_megabytes(worker):.0f} MB ({before:.0f} MB before). Floor: \\copy in {floor:.1f} s; ratio {seconds / floor:.1f}.")
            print("   Steps in seconds:", steps(shop.product.log()))
            again, busy = measured(shop, lambda: shop.load(dataset, "interactions.csv", "again"))
            print(f"   The same file once more, FULL: {again:.1f} s, {busy:.1f} CPU-s.")
    print(f"Median ratio to the floor: {middle(ratios):.1f}.")


if __name__ == "__main__":
    main()
