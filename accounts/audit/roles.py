"""Two roles of PostgreSQL: one owns the tables and migrates them, the application's only adds to the audit.

`manage.py migrate` connects as the owner (DATABASE_DIRECT_URL) and gives the role of DATABASE_URL its rights.
"""

from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import ProgrammingError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from accounts.audit import keys
from accounts.audit.models import TABLES

_RIGHTS: Final = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
REVOKE UPDATE, DELETE, TRUNCATE ON {audit} FROM {role}
"""
_MAY_CHANGE: Final = """
SELECT bool_or(has_table_privilege(%s, name, 'UPDATE, DELETE, TRUNCATE'))
FROM unnest(%s::text[]) AS name
WHERE to_regclass(name) IS NOT NULL AND EXISTS (SELECT FROM pg_roles WHERE rolname = %s)
"""


class RoleMissing(Exception):
    """The application's role does not exist, and the owner may not create roles."""


def give_rights(connection: BaseDatabaseWrapper, *, role: str, password: str) -> None:
    """Let the application's role do all but change the audit. Make the role if it is missing.

    connection: of the owner. It is called after each migration: new tables need it.

    Raises:
        RoleMissing: the message says how to make it.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT current_schema(), EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        schema, is_there = cursor.fetchone()
        if not is_there:
            _create(connection, cursor, role, password)
        rights = sql.SQL(_RIGHTS).format(
            schema=sql.Identifier(schema),
            role=sql.Identifier(role),
            audit=sql.SQL(", ").join(map(sql.Identifier, TABLES)),
        )
        cursor.execute(rights)


def _create(connection: BaseDatabaseWrapper, cursor: Any, role: str, password: str) -> None:
    """Make the role. PostgreSQL gets the hash of the password, so that no log of statements has it."""
    library: Any = connection.connection
    hashed = library.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed))
    try:
        with transaction.atomic(using=connection.alias):
            cursor.execute(statement)
    except ProgrammingError as error:
        raise RoleMissing(
            f"The role {role} of DATABASE_URL does not exist, and the owner may not make it. "
            f"As a superuser: CREATE ROLE {role} LOGIN PASSWORD '…';"
        ) from error


def may_change(connection: BaseDatabaseWrapper, role: str) -> bool:
    """Whether the role may change or delete entries of the audit."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_CHANGE, [role, list(TABLES), role])
        return bool(cursor.fetchone()[0])


@register(Tags.database)
def check_role(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn where the application may change its own audit."""
    role = settings.DATABASE_ROLE
    if "default" not in (databases or ()) or not role or not may_change(connections["default"], role):
        return []
    return [
        checks.Warning(
            f"The role {role} of DATABASE_URL may change and delete entries of the audit.",
            hint="Let DATABASE_DIRECT_URL name the tables' owner, and DATABASE_URL another: docs/audit.md",
            id="accounts.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Warn where the audit has no key of its own."""
    if keys.is_own():
        return []
    hint = "Set it before SECRET_KEY changes: docs/audit.md."
    return [
        checks.Warning(
            "AUDIT_KEYS is not set: the audit is signed by SECRET_KEY.", hint=hint, id="accounts.W002"
        )
    ]
