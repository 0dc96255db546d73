import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from running import DatabaseServer, Product  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--given-database", action="store_true", help="run every product on a given PostgreSQL server, by DATABASE_URL")


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
