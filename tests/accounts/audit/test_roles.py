"""Two roles of PostgreSQL: the application's adds entries, and changes and deletes none."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from accounts.audit import chain, expiry, roles
from accounts.audit.models import AuditCheckpoint, AuditEntry, AuditLink
from accounts.audit.recording import Entry, Kind, record
from accounts.models import Organisation

ROLE = "application_of_these_tests"
pytestmark = pytest.mark.django_db


@pytest.fixture
def application():
    """Rights as `migrate` gives them, in the transaction of the test."""
    roles.give_rights(connection, role=ROLE, password="not used: the tests change to the role")
    return ROLE


@pytest.fixture
def as_application(application):
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {application}")


FORBIDDEN = [
    "UPDATE accounts_auditentry SET kind = 'read'",
    "DELETE FROM accounts_auditentry",
    "TRUNCATE accounts_auditentry",
    "UPDATE accounts_auditlink SET number = 5",
    "DELETE FROM accounts_auditlink",
    "TRUNCATE accounts_auditlink",
    "UPDATE accounts_auditcheckpoint SET number = 5",
    "DELETE FROM accounts_auditcheckpoint",
    "ALTER TABLE accounts_auditentry DISABLE TRIGGER ALL",
    "DROP TABLE accounts_auditentry",
]


@pytest.mark.usefixtures("as_application")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_application_may_not_change_the_audit(statement):
    refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("as_application")
def test_application_does_its_work():
    record(Entry(Kind.READ, "page", timezone.now()), organisations=[7])
    assert chain.extend() == 1
    assert AuditEntry.objects.count() == AuditLink.objects.count() == 1
    assert not AuditCheckpoint.objects.exists()
    organisation = Organisation.objects.create(name="Works", slug="works")
    organisation.delete()
    assert not expiry.may_expire()


def test_rights_are_given_again_after_each_migration(application):
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON accounts_auditentry TO {application}")
    assert roles.may_change(connection, application)
    roles.give_rights(connection, role=application, password="")
    assert not roles.may_change(connection, application)


def test_check_warns_of_one_role_only(application, settings):
    settings.DATABASE_ROLE = connection.settings_dict["USER"]
    [warning] = roles.check_role(databases=["default"])
    assert "may change and delete entries of the audit" in warning.msg
    settings.DATABASE_ROLE = application
    assert roles.check_role(databases=["default"]) == []
    settings.DATABASE_ROLE = "a role that does not exist"
    assert roles.check_role(databases=["default"]) == []
    assert roles.check_role(databases=None) == []


def test_owner_who_may_make_no_role_is_told_how(application):
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {application}")
    with pytest.raises(roles.RoleMissing, match="CREATE ROLE another_role LOGIN PASSWORD"):
        roles.give_rights(connection, role="another_role", password="secret")


def test_password_reaches_postgresql_as_its_hash(settings):
    roles.give_rights(connection, role="with_a_password", password="open sesame")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'with_a_password'")
        assert cursor.fetchone()[0].startswith("SCRAM-SHA-256$")


def test_check_warns_without_keys_of_its_own(settings):
    settings.AUDIT_KEYS = []
    assert [warning.id for warning in roles.check_keys()] == ["accounts.W002"]
    settings.AUDIT_KEYS = ["a-key-of-the-audit-that-is-long-enough"]
    assert roles.check_keys() == []
