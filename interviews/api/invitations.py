"""REST endpoints of invitations: invite, read progress, revoke."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from ninja.pagination import paginate

from accounts.audit.doors import about_candidates
from accounts.models import ApiKey
from interviews.actions import invitations
from interviews.actions.errors import ActionRefused
from interviews.api import arrangements, pages, scoping
from interviews.api.schemas import invitations as schemas
from interviews.api.schemas.values import InvitationStatus, Line
from interviews.models import Interview, Invitation
from voice.web import scopes

logger = logging.getLogger(__name__)

INVITATION_DAYS = 14

router = Router()


@router.post(
    "/interviews/{uuid:interview_id}/invitations",
    response={201: schemas.InvitationOut, **scoping.ERRORS},
    summary="Invite a candidate",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
def invite(
    request: scoping.ApiRequest, interview_id: UUID, payload: schemas.InvitationIn
) -> Status[Invitation]:
    interview = _interview(request, interview_id)
    return Status(201, _shown(request, _invited(request, interview, payload)))


@router.post(
    "/interviews/{uuid:interview_id}/invitations/batch",
    response={200: schemas.InvitationBatchOut, **scoping.ERRORS},
    summary="Invite up to 100 candidates",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
def invite_many(
    request: scoping.ApiRequest, interview_id: UUID, payload: schemas.InvitationBatchIn
) -> dict[str, Any]:
    """Each is answered by itself: one that is refused stops no other. A body that is not as described invites
    nobody."""
    interview = _interview(request, interview_id)
    external_ids = [each.external_id for each in payload.invitations]
    invitations.hold_external_ids(external_ids, organisation_id=request.auth.organisation_id)
    results = [_tried(request, interview, index, each) for index, each in enumerate(payload.invitations)]
    if invited := [each["invitation"] for each in results if "invitation" in each]:
        _shown(request, *invited)
    return {"results": results, "invited": len(invited), "refused": len(results) - len(invited)}


def _interview(request: scoping.ApiRequest, interview_id: UUID) -> Interview:
    rows = scoping.interviews_of_organisation(request).select_related("published")
    return scoping.one(rows, interview_id, "interview")


def _tried(
    request: scoping.ApiRequest, interview: Interview, index: int, payload: schemas.InvitationIn
) -> dict[str, Any]:
    try:
        return {"index": index, "invitation": _invited(request, interview, payload)}
    except ActionRefused as refused:
        return {"index": index, "code": refused.code, "detail": refused.detail}


def _invited(request: scoping.ApiRequest, interview: Interview, payload: schemas.InvitationIn) -> Invitation:
    now = timezone.now()
    values = payload.dict() | {"expires_at": payload.expires_at or now + timedelta(days=INVITATION_DAYS)}
    invitation = invitations.invite(
        interview=interview, **values, is_test=request.auth.is_test, by=request.auth, now=now
    )
    about_candidates([invitation.pk], organisation_id=request.auth.organisation_id)
    return invitation


def _shown(request: scoping.ApiRequest, *shown: Invitation) -> Invitation:
    """Log whose links are about to be sent to which key; return the first invitation."""
    ids = ", ".join(str(invitation.pk) for invitation in shown)
    logger.info("links shown to key %s, of the invitations %s", request.auth.pk, ids)
    return shown[0]


class PagesOfLinks(pages.Pages):
    """Pages of invitations with their links."""

    def paginate_queryset(
        self, queryset: QuerySet, pagination: Any, request: Any, **params: Any
    ) -> dict[str, Any]:
        page = super().paginate_queryset(queryset, pagination, request, **params)
        if page["items"]:
            _shown(request, *page["items"])
        return page


class InvitationFilter(Schema):
    interview_id: UUID | None = None
    status: InvitationStatus | None = None
    external_id: Line | None = None


@router.get(
    "/invitations",
    response={200: list[schemas.InvitationProgressOut], **scoping.ERRORS},
    summary="List invitations",
)
@paginate(PagesOfLinks)
@scopes.needs(ApiKey.Scope.INVITATIONS_READ)
def list_invitations(request: scoping.ApiRequest, wanted: Query[InvitationFilter]) -> QuerySet[Invitation]:
    return scoping.invitations_of_organisation(request).filter(**wanted.dict(exclude_none=True))


@router.get(
    "/invitations/{uuid:invitation_id}",
    response={200: schemas.InvitationProgressOut, **scoping.ERRORS},
    summary="Read one, with its progress",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_READ)
def read_invitation(request: scoping.ApiRequest, invitation_id: UUID) -> Invitation:
    invitation = scoping.one(scoping.invitations_of_organisation(request), invitation_id, "invitation")
    return _shown(request, invitation)


@router.post(
    "/invitations/{uuid:invitation_id}/revoke",
    response={200: schemas.InvitationProgressOut, **scoping.ERRORS},
    summary="End a link in any state; what was said is kept",
)
@scopes.needs(ApiKey.Scope.INVITATIONS_WRITE)
@transaction.atomic
def revoke(request: scoping.ApiRequest, invitation_id: UUID) -> Invitation:
    invitation = arrangements.checked(request, invitation_id)
    invitations.revoke(invitation=invitation, by=request.auth, now=timezone.now())
    invitation = scoping.one(scoping.invitations_of_organisation(request), invitation_id, "invitation")
    return _shown(request, invitation)
