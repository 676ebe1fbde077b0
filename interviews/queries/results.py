"""Interviews of candidates that a program asks for: those of its organisation, by filters."""

from typing import Any

from django.db.models import QuerySet

from interviews.models import Session

FILTERS = {
    "interview_id": "invitation__interview",
    "invitation_id": "invitation",
    "candidate_email": "invitation__candidate_email__iexact",
    "status": "status",
    "begun_from": "consented_at__gte",
    "begun_before": "consented_at__lt",
    "finished_from": "finished_at__gte",
    "finished_before": "finished_at__lt",
}
"""What each filter compares."""


def filtered(rows: QuerySet[Session], **wanted: Any) -> QuerySet[Session]:
    """Return the interviews that match all of `FILTERS` that are given."""
    return rows.filter(**{FILTERS[name]: value for name, value in wanted.items()})


def counted(organisation_id: int, **wanted: Any) -> QuerySet[Session]:
    """Return those of an organisation, the newest first, without trials."""
    rows = Session.objects.counted().filter(invitation__interview__organisation=organisation_id)
    return filtered(rows, **wanted).order_by("-consented_at", "-pk")
