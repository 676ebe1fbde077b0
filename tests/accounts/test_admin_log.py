from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from accounts.models import Organisation
from tests import factories


def entry(**fields):
    kind = ContentType.objects.get_for_model(Organisation)
    defaults = {"content_type": kind, "action_flag": 2, "user": factories.UserFactory()}
    return LogEntry.objects.create(**(defaults | fields))


@pytest.mark.django_db
def test_old_entries_name_rows_by_their_ids(monkeypatch):
    migration = import_module("accounts.migrations.0004_admin_log_without_names")
    monkeypatch.setattr(migration, "STEP", 2)
    for n in range(5):
        entry(object_id=f"id {n}", object_repr=f"Ada Lovelace {n}")
    entry(object_id=None, object_repr="Grace Hopper")

    for _ in range(2):
        with connection.schema_editor() as editor:
            migration.rewrite(apps, editor)

    assert list(LogEntry.objects.order_by("pk").values_list("object_repr", flat=True)) == [
        *(f"id {n}" for n in range(5)),
        "",
    ]
