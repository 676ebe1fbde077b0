"""Refused actions. Each error has a code for programs and a detail for people."""

from collections.abc import Container

from django.utils.text import capfirst


class ActionRefused(Exception):
    """The action changed nothing. `extra` holds further fields for the reply, for example an offset."""

    code = "refused"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra

    def at(self, fields: Container[str]) -> tuple[str | None, str]:
        """Return the field that the detail names, and what is wrong there; else None and the detail."""
        name, _colon, reason = self.detail.partition(": ")
        return (name, capfirst(reason)) if reason and name in fields else (None, self.detail)


class WrongState(ActionRefused):
    """The status of the row does not allow this action."""

    code = "wrong_state"


class OnHold(ActionRefused):
    """A legal hold keeps the candidate from being erased. Ask again when it has ended."""

    code = "on_hold"


class AudioMissing(ActionRefused):
    """Part of the answer has not arrived: send from `offset` on and finish again."""

    code = "audio_missing"


class NotYours(ActionRefused):
    """The row belongs to another candidate or does not exist. The reply does not say which."""

    code = "not_yours"


class Taken(ActionRefused):
    """Another row of the organisation has this value already."""

    code = "taken"


class BadValue(ActionRefused):
    """A value is not allowed. The detail names the field and the allowed values."""

    code = "bad_value"
