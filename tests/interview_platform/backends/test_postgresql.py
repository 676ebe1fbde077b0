"""Connections from the pool: most need no check, and broken ones are never used."""

import os

import psycopg
import pytest
from django.db import connection, connections
from psycopg import Connection

from interview_platform.backends.postgresql import base
from tests.faults.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def pool_of_one(monkeypatch):
    """A new pool with one connection."""
    monkeypatch.setitem(connection.settings_dict["OPTIONS"]["pool"], "max_size", 1)
    connections.close_all()
    connection.close_pool()
    yield
    connections.close_all()
    connection.close_pool()


@pytest.fixture
def asked(monkeypatch):
    """The statements that check connections."""
    statements: list[str] = []
    execute = Connection.execute

    def note(self, query, *args, **kwargs):
        statements.append(query)
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(Connection, "execute", note)
    return statements


def backend() -> int:
    """Use a connection and return it to the pool. Return the id of its server process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    connections.close_all()
    return pid


def end(pid: int) -> None:
    """Make PostgreSQL close one connection, and wait until it has."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)"
        wait_for(lambda: other.execute(gone, [pid]).fetchone()[0], "the connection to end")


def test_connection_used_just_now_is_not_asked(asked):
    first = backend()
    asked.clear()
    assert backend() == first
    assert asked == []


def test_connection_not_used_for_a_while_is_asked(asked, monkeypatch):
    first = backend()
    asked.clear()
    monkeypatch.setattr(base, "TRUSTED_FOR_S", 0.0)
    assert backend() == first
    assert asked == [""]


def test_connection_that_postgresql_ended_is_replaced():
    first = backend()
    end(first)
    assert backend() != first
