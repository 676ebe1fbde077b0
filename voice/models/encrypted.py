"""Columns that are encrypted with the data key of their row.

Models with such a column have `data_key`: the id of the key, or None. Whatever saves a row encrypts; `update`
knows no row, so its callers use `encrypted`. Whatever reads a row, or the column alone, gets the plain value.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import models

from voice.encryption import values


class EncryptedText(models.TextField):
    """A text. In SQL it can neither be searched nor compared."""

    def deconstruct(self) -> Any:
        """Return it as Django's own: migrations need no code of ours, and the column is the same."""
        return _as_django_has_it(super().deconstruct(), models.TextField)

    def stored(self, value: str, key_id: UUID | None) -> str:
        """Return the value as the column holds it."""
        return values.encrypted(value, key_id=key_id, about=_about(self))

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        return self.stored(value, model_instance.data_key) if value else value

    def from_db_value(self, value: str | None, *args: Any) -> str | None:
        """Return the text. Raises VoiceError: it cannot be decrypted."""
        return values.decrypted(value, about=_about(self)) if value else value


class EncryptedJson(models.JSONField):
    """JSON, which is a text in JSON once it is encrypted."""

    def deconstruct(self) -> Any:
        return _as_django_has_it(super().deconstruct(), models.JSONField)

    def stored(self, value: Any, key_id: UUID | None) -> Any:
        """Return the value as the column holds it."""
        if key_id is None or not value or values.is_encrypted(value):
            return value
        return values.encrypted(json.dumps(value), key_id=key_id, about=_about(self))

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        return self.stored(value, model_instance.data_key) if value else value

    def from_db_value(self, value: Any, *args: Any) -> Any:
        """Return the value. Raises VoiceError: it cannot be decrypted."""
        found = super().from_db_value(value, *args)
        return (
            json.loads(values.decrypted(found, about=_about(self))) if values.is_encrypted(found) else found
        )


def encrypted(model: type[models.Model], fields: Mapping[str, Any], *, key_id: UUID | None) -> dict[str, Any]:
    """Return values for `update` of rows that have this key."""
    kinds = {field.name: field for field in model._meta.concrete_fields}  # noqa: SLF001  a documented name
    return {
        name: kind.stored(value, key_id) if isinstance(kind := kinds.get(name), _KINDS) else value
        for name, value in fields.items()
    }


def _as_django_has_it(parts: tuple[Any, ...], kind: type[models.Field]) -> tuple[Any, ...]:
    name, _path, args, options = parts
    return name, f"django.db.models.{kind.__name__}", args, options


_KINDS = (EncryptedText, EncryptedJson)


def _about(field: models.Field) -> str:
    return f"{field.model._meta.db_table}.{field.column}"  # noqa: SLF001  a documented name
