"""What an operator meets: the first start and its interruption, starts without a network, full disks, missing and damaged parts."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from running import Product, make_folder, wait_until
from signing import Caller, recommend


def works(*command):
    """Whether this machine lets the test do it, such as make a name space."""
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0


def put_event(caller, shop, user):
    return caller.signed("/events", {"trackingId": shop.tracking, "userId": user, "sessionId": user, "eventList": [
        {"eventType": "View", "itemId": shop.item, "sentAt": int(time.time())}]})


# The first start.


def test_the_password_is_there_before_the_demo_and_no_log_line_among_the_progress(shop):
    first = shop.earlier
    assert 0 < first.index("Password  ") < first.index("Demo shop: importing")
    assert 0 < first.index("Secret    ") < first.index("Demo shop: importing")
    assert [line for line in (first + shop.output).splitlines() if line.startswith("{")] == []
    assert "model opened" in shop.log()


def test_an_interrupted_load_of_the_demo_ends_at_once_and_the_next_start_finishes_it(shop):
    assert shop.interrupted_code == 0
    assert shop.interrupted_seconds < 20
    assert "The demo shop is loaded at the next start." in shop.earlier
    assert "removing what an interrupted load has left" in shop.output
    assert shop.sql("SELECT count(*) FROM tastemaker.dataset_group") == ["1"]
    assert Caller(shop).send("GET", "/demo").status == 200


def test_a_line_of_the_log_has_its_time_in_one_form(shop):
    Caller(shop).send("GET", "/health/live")
    lines = [json.loads(line) for line in shop.log().splitlines() if line.startswith("{")]
    kinds = {"kind" in line for line in lines}
    assert kinds == {True, False}
    for line in lines:
        time.strptime(line["time"], "%Y-%m-%dT%H:%M:%S." + line["time"][-4:])


def test_other_commands_find_the_running_product_by_its_folder(shop):
    """It listens on another port than the default."""
    count = lambda: int(shop.sql("SELECT count(*) FROM tastemaker.raw_event")[0])
    before = count()
    command = [shop.program, "demo", "simulate", "--rate", "60", "--data", f"{shop.folder}/data", "--run", f"{shop.folder}/run"]
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until(lambda: count() > before, 20, "simulated visitors arrive")
    finally:
        simulator.send_signal(signal.SIGINT)
        output = simulator.communicate(timeout=30)[0]
    assert simulator.returncode == 0, output


# Later starts.


def test_a_start_without_a_network_takes_seconds_and_keeps_everything(shop):
    if not works("unshare", "--net", "true"):
        pytest.skip("this machine makes no network of its own")
    tables = ["interaction", "item_record", "solution_version", "campaign", "access_key"]
    counts = lambda: [shop.sql(f"SELECT count(*) FROM tastemaker.{table}") for table in tables]
    # No share of new items is mixed into these by chance.
    similar = lambda: Caller(shop).signed("/recommendations", {"campaignArn": shop.campaign.replace("for-you", "similar"), "itemId": shop.item})
    before, listed = counts(), similar().body
    loopback_only = ("import fcntl, os, socket, struct, sys; "
                     "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 0x49)); os.execv(sys.argv[1], sys.argv[1:])")
    begun = time.monotonic()
    shop.restart(prefix=["unshare", "--net", sys.executable, "-c", loopback_only])
    assert time.monotonic() - begun < 25
    assert "Making the database" not in shop.output and "Migration" not in shop.output and "Demo shop:" not in shop.output
    assert counts() == before
    shop.restart()
    again = similar().body
    assert [item["itemId"] for item in json.loads(again)["itemList"]] == [item["itemId"] for item in json.loads(listed)["itemList"]]


# Room on the disk.


def test_below_the_floor_of_free_space_nothing_grows_and_serving_goes_on(shop):
    shop.restart(TASTEMAKER_FREE_SPACE_FLOOR_MB=str(1 << 24))
    caller = Caller(shop)
    try:
        assert recommend(caller, shop).status == 200
        refused = [put_event(caller, shop, "late"), caller.send("POST", "/e", json.dumps({"key": shop.tracking, "batch": [
            {"type": "track", "event": "View", "messageId": "late", "anonymousId": "late", "properties": {"itemId": shop.item}}]}))]
        solution = json.loads(caller.signed("/", {}, "ListSolutions").body)["solutions"][0]["solutionArn"]
        refused.append(caller.signed("/", {"solutionArn": solution}, "CreateSolutionVersion"))
        for answer in refused:
            assert answer.status == 507 and b"MB free and the floor is" in answer.body
            assert int(answer.headers["Retry-After"]) > 0
        ready = caller.send("GET", "/health/ready")
        assert ready.status == 200 and "floor" in json.loads(ready.body)["storage"]
        doctor = shop.run("doctor")
        assert doctor.returncode == 1 and "less than the floor of 16777216 MB: make room" in doctor.stdout
    finally:
        shop.restart()
    caller = Caller(shop)
    assert put_event(caller, shop, "late").status == 200
    assert "storage" not in json.loads(caller.send("GET", "/health/ready").body)


def test_a_full_disk_is_survived_by_the_ballast():
    folder = make_folder()
    os.mkdir(f"{folder}/data")
    if not works("mount", "-t", "tmpfs", "-o", "size=480m,mode=755", "none", f"{folder}/data"):
        shutil.rmtree(folder)
        pytest.skip("this machine mounts no disk of a test's own")
    running = Product(folder=folder, arguments=["--no-demo"], environment={"TASTEMAKER_FREE_SPACE_FLOOR_MB": "0"})
    filler = pathlib.Path(folder, "data/filler")
    try:
        running.start()
        ballast = pathlib.Path(folder, "data/ballast")
        assert ballast.stat().st_blocks * 512 == 64 << 20
        with open(filler, "wb") as file:
            try:
                while file.write(bytes(1 << 20)):
                    pass
            except OSError:
                pass
        # The server dies in the middle of it and still comes back.
        os.kill(running.processes("bin/postgres -D")[0], signal.SIGQUIT)
        wait_until(lambda: "of ballast are freed" in running.output, 10, "the ballast is freed")
        assert not ballast.exists()
        caller = Caller(running)
        wait_until(lambda: caller.signed("/", {}, "ListDatasetGroups").status == 200, 30, "it serves again")
        filler.unlink()
        assert caller.signed("/", {"name": "room"}, "CreateDatasetGroup").status == 200
        running.restart(**running.environment)
        assert ballast.exists()
    finally:
        running.stop()
        subprocess.run(["umount", f"{folder}/data"])
        running.remove()


# What is missing or damaged: each a sentence that says what to do.


@pytest.mark.parametrize("hidden,words", [
    ("/usr/sbin/nginx", "nginx is not installed: run scripts/install"),
    ("/usr/lib/postgresql", "initdb and postgres, version 15 or newer, are not installed: run scripts/install"),
])
def test_a_missing_tool_is_named(hidden, words):
    if not works("unshare", "--mount", "true"):
        pytest.skip("this machine makes no file systems of a test's own")
    running = Product(arguments=["--no-demo"])
    empty = make_folder()
    cover = "/dev/null" if os.path.isfile(hidden) else empty
    running.prefix = ["unshare", "--mount", "sh", "-c", f'mount --bind {cover} {hidden} && exec "$@"', "sh"]
    try:
        code, output = running.ends_with()
        assert code not in (0, None) and words in output
    finally:
        running.remove()
        os.rmdir(empty)


@pytest.fixture(scope="module")
def stopped():
    """The folder of an installation that is stopped."""
    running = Product(arguments=["--no-demo"]).start()
    running.stop()
    yield running
    running.remove()


@pytest.mark.parametrize("file,content,words", [
    ("pg/global/pg_control", b"", "restore it from your backup"),
    ("pg/global/pg_control", None, "is damaged"),
    ("pg/PG_VERSION", None, "restore it from your backup"),
    ("secret.key", b"short", "put back its copy from your backup"),
    ("secret.key", None, "put it back from your backup"),
    ("pg/base", None, "restore it from your backup"),
], ids=["control empty", "control missing", "version missing", "key damaged", "key missing", "tables missing"])
def test_a_damaged_data_folder_is_refused(stopped, file, content, words):
    folder = make_folder()
    subprocess.run(["cp", "-a", f"{stopped.folder}/data", folder], check=True)
    path = pathlib.Path(folder, "data", file)
    if content is not None:
        path.write_bytes(content)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    running = Product(folder=folder, arguments=["--no-demo"])
    try:
        code, output = running.ends_with(90)
        assert code not in (0, None) and words in output
        assert str(folder) in output
    finally:
        running.remove()
