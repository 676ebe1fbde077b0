"""Until when candidates are kept: by the clock, by a request of theirs, and in spite of both by a hold."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    When,
)
from django.db.models.functions import Coalesce, Least

from interviews import states
from interviews.models import Invitation, LegalHold

WITHDRAWN_KEPT = timedelta(days=7)
"""So long after candidates withdrew their consent they may download, unless they have everything erased."""


def is_held() -> Q:
    """Whether an invitation, the interview of it, or the one whose earlier attempt it is, is on hold."""
    candidate = Q(invitation=OuterRef("pk")) | Q(invitation=OuterRef("set_aside_of_id"))
    whole = Q(invitation=None, interview=OuterRef("interview_id"))
    return Q(
        Exists(LegalHold.objects.open().filter(candidate)) | Exists(LegalHold.objects.open().filter(whole))
    )


def hold_of(invitation: Invitation) -> LegalHold | None:
    """Return the hold that keeps a candidate from being erased: the oldest, if there are two."""
    candidate = Q(invitation__in=[invitation.pk, invitation.set_aside_of_id or invitation.pk])
    whole = Q(invitation=None, interview=invitation.interview_id)
    return LegalHold.objects.open().filter(candidate | whole).order_by("placed_at").first()


def held_since(invitation: Invitation) -> datetime | None:
    """Return since when a hold keeps a candidate; None: there is none."""
    hold = hold_of(invitation)
    return hold.placed_at if hold else None


def kept_until() -> QuerySet[Any]:
    """Return the invitations that the clock erases one day, with `erased_at`: when.

    What is on hold is not among them; nor are an interview under way and a link that may still be used,
    unless the candidate asked for it.
    """
    ended_at = Coalesce("session__finished_at", "session__last_seen_at", "expires_at")
    days = Case(  # the candidate agreed to those of the version; null is no end
        When(session__definition__isnull=False, then=F("session__definition__retention_days")),
        default=F("interview__published__retention_days"),
    )
    kept_for = ExpressionWrapper(F("days") * timedelta(days=1), DurationField())
    by_clock = ExpressionWrapper(ended_at + F("kept_for"), DateTimeField())
    withdrawn = ExpressionWrapper(F("session__withdrawn_at") + WITHDRAWN_KEPT, DateTimeField())
    is_open = Q(status=Invitation.Status.PENDING) | Q(session__status__in=states.OPEN_SESSION_STATUSES)
    rows = Invitation.objects.exclude(is_open, erasure_requested_at=None)
    rows = rows.annotate(days=days, kept_for=kept_for)
    rows = rows.annotate(erased_at=Least("erasure_requested_at", withdrawn, by_clock))
    return rows.filter(~is_held(), erased_at__isnull=False)


def erased_soon(now: datetime) -> QuerySet[Any]:
    """Return the candidates of whose erasure by the clock their organisations are warned now."""
    days = F("interview__organisation__warned_days") * timedelta(days=1)
    limit = ExpressionWrapper(now + ExpressionWrapper(days, DurationField()), DateTimeField())
    rows: Any = kept_until()
    return rows.counted().filter(erased_at__gt=now, erased_at__lte=limit)


def erased_on(invitation: Invitation) -> datetime | None:
    """When the clock erases a candidate; None: not yet known, never, or on hold."""
    return kept_until().filter(pk=invitation.pk).values_list("erased_at", flat=True).first()
