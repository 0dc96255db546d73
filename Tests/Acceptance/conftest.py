import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from running import Product  # noqa: E402


@pytest.fixture(scope="session")
def product():
    """One running product for every test that does not harm it."""
    running = Product(arguments=["--demo"] if os.environ.get("TASTEMAKER_TEST_DEMO") else ["--no-demo"])
    try:
        yield running.start()
    finally:
        running.remove()
