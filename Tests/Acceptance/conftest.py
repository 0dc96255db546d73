import json
import os
import pathlib
import shutil
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from running import DatabaseServer, Product, end_orderly, make_folder, wait_until  # noqa: E402
from signing import Caller, recommend, sign_in  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--given-database", action="store_true", help="run every product on a given PostgreSQL server, by DATABASE_URL")


def pytest_configure(config):
    end_orderly()


@pytest.fixture(scope="session", autouse=True)
def given_server(request):
    """The server of all products, when the option asks for one."""
    if not request.config.getoption("--given-database"):
        yield None
        return
    Product.given = DatabaseServer()
    yield Product.given
    Product.given.remove()


@pytest.fixture(scope="session")
def product():
    """One running product for every test that does not harm it."""
    running = Product(arguments=["--demo"] if os.environ.get("TASTEMAKER_TEST_DEMO") else ["--no-demo"])
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture(scope="module")
def bucket():
    """The folder that is the bucket `data` of the product `bucketed`."""
    folder = pathlib.Path(make_folder())
    folder.chmod(0o777)  # the product may run as another user than the test
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def bucketed(bucket):
    running = Product(arguments=["--no-demo"], environment={"TASTEMAKER_BUCKETS": f"data={bucket}"})
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture(scope="session")
def shop(request):
    """The demo shop, whose first start was interrupted while it was loaded; with a session and a key of our own API."""
    if request.config.getoption("--given-database"):
        pytest.skip("the demo shop of these tests lives in a private cluster")
    running = Product(arguments=["--demo"])
    try:
        running.launch()
        wait_until(lambda: "training the first models" in running.output or running.process.poll() is not None, 120, "the demo is loading")
        begun = time.monotonic()
        running.interrupted_code = running.stop()
        running.interrupted_seconds = time.monotonic() - begun
        running.restart()
        assert "The demo shop is open" in running.output, running.output + running.log()[-3000:]
        caller = Caller(running)
        ask = lambda operation, body: json.loads(caller.signed("/", body, operation).body)
        running.group = ask("ListDatasetGroups", {})["datasetGroups"][0]["name"]
        running.campaign = next(c["campaignArn"] for c in ask("ListCampaigns", {})["campaigns"] if c["name"].endswith("for-you"))
        tracker = ask("ListEventTrackers", {})["eventTrackers"][0]["eventTrackerArn"]
        running.tracking = ask("DescribeEventTracker", {"eventTrackerArn": tracker})["eventTracker"]["trackingId"]
        running.item = json.loads(recommend(caller, running).body)["itemList"][0]["itemId"]
        running.bearer = running.run("key", "create", "traffic", "--scope", "recommend", check=True).stdout.strip()
        running.cookies = sign_in(caller, running)
        yield running
    finally:
        running.remove()
