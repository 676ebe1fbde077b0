"""The admin's log (`django_admin_log`): who did what to which row. It names rows by their ids only.

Django would write `str(row)`, which is a candidate's or a colleague's name, and would keep it for ever.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model


def record(user: Any, rows: Iterable[Model], flag: int, message: Any = "") -> list[LogEntry]:
    """Write an entry for each row.

    message: text, or the list that Django's admin makes of the changes in a form.
    """
    written = json.dumps(message) if isinstance(message, list) else message
    entries = [
        LogEntry(
            user_id=user.pk,
            content_type=ContentType.objects.get_for_model(row, for_concrete_model=False),
            object_id=str(row.pk),
            object_repr=str(row.pk),
            action_flag=flag,
            change_message=written,
        )
        for row in rows
    ]
    return LogEntry.objects.bulk_create(entries)


def replace_ids(model: type[Model], ids: Collection[Any], *, by: object) -> None:
    """Let all entries about these rows name `by` instead; what was done, and by which user, stays."""
    _about(model, ids).update(object_id=str(by), object_repr=str(by))


def find(model: type[Model], ids: Collection[Any]) -> list[str]:
    """Return the entries about these rows."""
    return [f"admin.LogEntry {pk}" for pk in _about(model, ids).values_list("pk", flat=True)]


def _about(model: type[Model], ids: Collection[Any]) -> Any:
    kind = ContentType.objects.get_for_model(model)
    return LogEntry.objects.filter(content_type=kind, object_id__in=[str(each) for each in ids])
