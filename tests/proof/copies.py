"""As many rows of each kind as are wanted, all of one organisation, as copies that PostgreSQL makes.

A copy of a row refers to the copies of the rows that it belongs to. So a copied session has a copied
invitation, and that is of the same interview, which has as many candidates as there are copies. A new table
is copied without a line here.
"""

from typing import Any

from django.apps import apps
from django.db import connection, models

from accounts.models import Organisation, User
from interviews.models import BankQuestion, Interview, InterviewVersion, InvitationBatch, OpenLink
from tests.access.organisation import Rows

APPS = ("accounts", "voice", "interviews")
KEPT = (Organisation, User, Interview, InterviewVersion, InvitationBatch, OpenLink, BankQuestion)
"""Copies refer to the same row of these."""
PARTS = {"Membership.user", "Question.interview", "Criterion.interview", "InterviewVersion.interview"}
"""But these: a person has one role, and no interview has a thousand questions."""
OLD_NUMBER = 1_000_000
"""Numbers above this one are keys of copies."""


def make(rows: Rows, count: int) -> None:
    """Copy a row of each table `count` times."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no look at each foreign key
        for model in apps.get_models():
            if model._meta.app_label in APPS and model is not Organisation:
                _copy(cursor, model, _row_of(model, rows), count)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("ANALYZE")


def _row_of(model: type[models.Model], rows: Rows) -> models.Model | None:
    own = (row for row in rows if type(row) is model)
    return next(own, None) or model._default_manager.order_by("-pk").first()


def _copy(cursor: Any, model: type[models.Model], row: models.Model | None, count: int) -> None:
    if row is None:
        return
    row.refresh_from_db()
    table = model._meta.db_table
    changes = ", ".join(
        f"'{field.column}', {value}"
        for field in model._meta.concrete_fields
        if (value := _changed(field, row)) is not None
    )
    cursor.execute(
        f"""
        INSERT INTO {table} SELECT copy.*
        FROM {table} original, generate_series(1, %s) n,
          LATERAL jsonb_populate_record(original, jsonb_build_object({changes})) copy
        WHERE original.{model._meta.pk.column} = %s
        ON CONFLICT DO NOTHING
        """,  # a text for each kind and language cannot be there a thousand times
        [count, row.pk],
    )


def _changed(field: models.Field, row: models.Model) -> str | None:
    """Return what a copy has in this column, as SQL; None for the same as the original."""
    if isinstance(field, models.ForeignKey):
        is_moved = field.related_model not in KEPT or f"{type(row).__name__}.{field.name}" in PARTS
        is_empty = getattr(row, field.attname) is None
        return None if is_empty or not is_moved else _key(field.related_model)
    if field.primary_key:
        return _key(type(row))
    return _unlike_others(field) if _is_unique(field, row) and getattr(row, field.attname) else None


def _key(model: type[models.Model]) -> str:
    """Return the key of the copy with the number n."""
    key = model._meta.pk
    while isinstance(key, models.ForeignKey):
        model = key.related_model
        key = model._meta.pk
    if isinstance(key, models.UUIDField):
        return f"md5('{model._meta.db_table}' || n)::uuid"
    return f"{OLD_NUMBER} + n" if isinstance(key, models.IntegerField) else f"md5('{model.__name__}' || n)"


def _is_unique(field: models.Field, row: models.Model) -> bool:
    unique = (each for each in row._meta.constraints if isinstance(each, models.UniqueConstraint))
    return field.unique or any(field.name in each.fields for each in unique)


def _unlike_others(field: models.Field) -> str | None:
    if isinstance(field, models.BinaryField):
        return f"'\\x' || md5('{field.column}' || n)"
    if isinstance(field, (models.CharField, models.TextField)) and not field.choices:
        return f"left(original.{field.column}, {(field.max_length or 1000) - 5}) || n"
    return None
