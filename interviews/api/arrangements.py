"""REST endpoints of what is arranged for one candidate: accommodations, a later last day, a new start."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from ninja import Router

from accounts.models import ApiKey
from interviews.actions import accommodations, attempts, invitations
from interviews.api import scoping
from interviews.api.schemas import invitations as schemas
from interviews.models import Accommodation, Invitation
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
    given = _found(request, invitation_id).accommodation
    return given or dict.fromkeys(FIELDS, False) | {"extra_percent": 0, "given_at": None}


@router.put(
    "/invitations/{uuid:invitation_id}/accommodation",
    response={200: schemas.AccommodationOut, **scoping.ERRORS},
    summary="Give an accommodation, before the start or in the middle of the interview",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
def give_accommodation(
    request: scoping.ApiRequest, invitation_id: UUID, payload: schemas.AccommodationIn
) -> Accommodation:
    return accommodations.give(
        invitation=_found(request, invitation_id), **payload.dict(), by=request.auth, now=timezone.now()
    )


@router.post(
    "/invitations/{uuid:invitation_id}/extend",
    response={200: schemas.InvitationStateOut, **scoping.ERRORS},
    summary="Move the last day of a link; one that expired unused works again",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
def extend(request: scoping.ApiRequest, invitation_id: UUID, payload: schemas.ExtensionIn) -> Invitation:
    invitation = _found(request, invitation_id)
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
def reset(request: scoping.ApiRequest, invitation_id: UUID, payload: schemas.ResetIn) -> Invitation:
    invitation = _found(request, invitation_id)
    attempts.reset(invitation=invitation, expires_at=payload.expires_at, by=request.auth, now=timezone.now())
    return invitation


def _found(request: scoping.ApiRequest, invitation_id: UUID) -> Invitation:
    rows = scoping.invitations_of_organisation(request).select_related(None)
    return scoping.one(rows, invitation_id, "invitation")
