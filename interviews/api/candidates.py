"""REST endpoints of candidates: one person is one address, whatever the number of invitations."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from ninja import Query, Router
from ninja.pagination import paginate

from accounts.audit.doors import about
from accounts.models import ApiKey
from interviews.api import pages, scoping
from interviews.api.schemas import candidates as schemas
from interviews.models import Invitation
from interviews.models.invitation import Invitations
from interviews.queries import candidates
from voice.web import scopes

router = Router()


@router.get(
    "/candidates", response={200: list[schemas.CandidateOut], **scoping.ERRORS}, summary="List candidates"
)
@paginate(pages.Pages)
@scopes.needs(ApiKey.Scope.RESULTS_READ)
def list_candidates(
    request: scoping.ApiRequest, wanted: Query[schemas.CandidateFilter]
) -> QuerySet[Invitation]:
    """Those invited last come first. A candidate without an e-mail address is one for each invitation."""
    rows = candidates.newest_of_each(_invitations(request))
    if wanted.search:
        rows = candidates.with_words(rows, wanted.search)
    return candidates.with_invitation_count(rows)


@router.get(
    "/candidates/{uuid:candidate_id}",
    response={200: schemas.CandidateDetailOut, **scoping.ERRORS},
    summary="Read one, with all invitations",
)
@scopes.needs(ApiKey.Scope.RESULTS_READ)
def read_candidate(request: scoping.ApiRequest, candidate_id: UUID) -> dict[str, Any]:
    """`candidate_id` is the id of any of the candidate's invitations."""
    rows = _invitations(request)
    invitation = scoping.one(rows.counted().select_related("interview"), candidate_id, "candidate")
    newest, *earlier = candidates.history(invitation, among=rows)
    about(Invitation.objects.filter(pk__in=[newest.pk, *(each.pk for each in earlier)]))
    return {
        "id": newest.pk,
        "candidate_name": newest.candidate_name,
        "candidate_email": newest.candidate_email,
        "created_at": newest.created_at,
        "invitation_count": 1 + len(earlier),
        "invitations": [newest, *earlier],
    }


def _invitations(request: scoping.ApiRequest) -> Invitations:
    """Return all of the organisation. Raises TestKey: candidates of tests are nobody."""
    if request.auth.is_test:
        raise scoping.TestKey("A key for tests reads no candidates: they are real. Read its sessions.")
    return Invitation.objects.filter(interview__organisation=request.auth.organisation)
