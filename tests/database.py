"""The database of each process of tests: a copy of a migrated one, emptied after a test that commits."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import TransactionTestCase

from tests.prepared import migrated

KEPT = {"django_content_type", "auth_permission"}
"""Tables whose rows a migration makes; they are always the same."""


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Let one of several processes migrate a database for all."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        template = migrated(os.environ["DATABASE_URL"], Path(os.environ["TESTS_DIRECTORY"]))
        connection.settings_dict["TEST"]["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Empty the tables in 5 ms. Django truncates each and makes all permissions again, which takes 100 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_tables())
        yield
    with django_db_blocker.unblock():
        _end_other_sessions()


def empty_tables() -> None:
    """Delete all rows but those of `KEPT`, once no other transaction writes."""
    with connection.cursor() as cursor:
        cursor.execute(_deletes())


def _end_other_sessions() -> None:
    """A thread of a past test may still have a connection, and then the database cannot be dropped."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) {others}")


@cache
def _deletes() -> str:
    """In one transaction, in any order: foreign keys are looked at when it ends."""
    names = set(connection.introspection.django_table_names(only_existing=True)) - KEPT
    tables = [connection.ops.quote_name(name) for name in sorted(names)]
    deletes = " ".join(f"DELETE FROM {table};" for table in tables)
    return f"DO $$ BEGIN LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE; {deletes} END $$"
