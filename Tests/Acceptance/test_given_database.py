"""A PostgreSQL server that is given by DATABASE_URL: what is made in it, and which server is refused."""

import os
import pathlib

import pytest

from running import DatabaseServer, Product


@pytest.fixture(scope="module")
def server():
    running = DatabaseServer()
    try:
        yield running
    finally:
        running.remove()


def refusal(server, database, role="shop"):
    running = Product(environment={"DATABASE_URL": server.url(database, role)})
    try:
        code, output = running.ends_with()
    finally:
        running.remove()
    assert code not in (0, None)
    return output


def test_everything_is_made_in_one_schema_and_no_demo_is_loaded(server):
    running = Product(environment={"DATABASE_URL": server.new_database()})
    try:
        running.start()
        assert "Making the database" not in running.output and "Demo shop" not in running.output
        database = f"shop{server.count}"
        owned = "SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^(pg_|information_schema)'"
        assert server.sql(owned, database) == ["tastemaker"]
        assert server.sql("SELECT rolname FROM pg_roles WHERE rolsuper") == ["postgres"]
        assert not os.path.exists(f"{running.folder}/data/pg")
        first = running.value("Key id")
        running.stop()
        running.output = ""
        running.start()
        assert "Password" not in running.output
        assert server.sql("SELECT id FROM tastemaker.access_key", database) == [first]
    finally:
        running.remove()


def test_a_role_that_may_not_create_is_refused(server):
    server.sql("CREATE DATABASE closed")
    assert "User shop may not create the schema tastemaker; GRANT CREATE ON DATABASE closed to it." in refusal(server, "closed")


def test_another_encoding_is_refused(server):
    server.sql("CREATE DATABASE latin OWNER shop TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    assert "Database latin has encoding LATIN1; it must be created with encoding UTF8." in refusal(server, "latin")


def test_a_wrong_password_is_refused(server):
    server.new_database()
    output = refusal(server, f"shop{server.count}", role="nobody")
    assert "cannot be reached" in output and "Check DATABASE_URL" in output


def test_a_standby_is_refused(server):
    server.new_database()
    server.stop()
    pathlib.Path(server.folder, "pg/standby.signal").touch()
    server.start()
    try:
        assert "read-only standby; connect to the primary" in refusal(server, f"shop{server.count}")
    finally:
        server.stop()
        pathlib.Path(server.folder, "pg/standby.signal").unlink()
        server.start()
