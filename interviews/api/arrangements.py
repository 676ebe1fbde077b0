"""REST endpoints of what is arranged for one candidate: accommodations, a later last day, a new start."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from ninja import Router

from accounts.models import ApiKey
from interviews.actions import accommodations, attempts, invitations
from interviews.api import conditions, scoping
from interviews.api.schemas import invitations as schemas
from interviews.models import Accommodation, Invitation, Session
from interviews.models.accommodation import FIELDS
from voice.web import scopes

router = Router()


@router.get(
    "/invitations/{uuid:invitation_id}/accommodation",
    response={200: schemas.AccommodationOut, **scoping.ERRORS},
    summary="What a candidate gets beyond what all get",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_READ)
def read_accommodation(request: scoping.ApiRequest, invitation_id: UUID) -> Accommodation | dict[str, Any]:
    return _given(_found(request, invitation_id))


def _given(invitation: Invitation) -> Accommodation | dict[str, Any]:
    nothing = dict.fromkeys(FIELDS, False) | {"extra_percent": 0, "given_at": None}
    return invitation.accommodation or nothing


@router.put(
    "/invitations/{uuid:invitation_id}/accommodation",
    response={200: schemas.AccommodationOut, **scoping.ERRORS},
    summary="Give an accommodation, before the start or in the middle of the interview",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
@transaction.atomic
def give_accommodation(
    request: scoping.ApiRequest, invitation_id: UUID, payload: schemas.AccommodationIn
) -> Accommodation:
    invitation = _locked(request, invitation_id)
    conditions.check(request, schemas.AccommodationOut, _given(invitation), is_needed=True)
    return accommodations.give(invitation=invitation, **payload.dict(), by=request.auth, now=timezone.now())


@router.post(
    "/invitations/{uuid:invitation_id}/extend",
    response={200: schemas.InvitationStateOut, **scoping.ERRORS},
    summary="Move the last day of a link; one that expired unused works again",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
@transaction.atomic
def extend(request: scoping.ApiRequest, invitation_id: UUID, payload: schemas.ExtensionIn) -> Invitation:
    invitation = checked(request, invitation_id)
    invitations.extend(
        invitation=invitation, expires_at=payload.expires_at, by=request.auth, now=timezone.now()
    )
    return invitation


@router.post(
    "/invitations/{uuid:invitation_id}/reset",
    response={200: schemas.InvitationStateOut, **scoping.ERRORS},
    summary="Set the attempt so far aside: the same link begins anew",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
@transaction.atomic
def reset(request: scoping.ApiRequest, invitation_id: UUID, payload: schemas.ResetIn) -> Invitation:
    invitation = checked(request, invitation_id)
    attempts.reset(invitation=invitation, expires_at=payload.expires_at, by=request.auth, now=timezone.now())
    return invitation


def _found(request: scoping.ApiRequest, invitation_id: UUID) -> Invitation:
    rows = scoping.invitations_of_organisation(request).select_related(None)
    return scoping.one(rows, invitation_id, "invitation")


def _locked(request: scoping.ApiRequest, invitation_id: UUID) -> Invitation:
    """Lock the session first, as the finish of a session does: this avoids a deadlock."""
    found = _found(request, invitation_id)
    Session.objects.select_for_update().filter(invitation=found).first()
    Invitation.objects.select_for_update().filter(pk=found.pk).first()
    return _found(request, invitation_id)


def checked(request: scoping.ApiRequest, invitation_id: UUID) -> Invitation:
    """Lock an invitation and compare If-Match, if it was sent, with what its GET tells."""
    invitation = _locked(request, invitation_id)
    if "If-Match" in request.headers:
        shown = scoping.one(scoping.invitations_of_organisation(request), invitation_id, "invitation")
        conditions.check(request, schemas.InvitationProgressOut, shown)
    return invitation
