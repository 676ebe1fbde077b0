"""REST endpoints: erase a candidate, and see whether that is complete."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Router, Status
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.actions import erasure
from interviews.api import pages, scoping
from interviews.api.schemas import erasures as schemas
from interviews.models import Erasure
from voice.web import scopes

router = Router()


def _erasures_of_organisation(request: scoping.ApiRequest) -> QuerySet[Erasure]:
    """Return those of the key's organisation. A key for tests reads one by the id that it was told."""
    of_mode = {"is_trial": request.auth.is_test}
    return Erasure.objects.filter(interview__organisation=request.auth.organisation, **of_mode)


@router.delete(
    "/invitations/{uuid:invitation_id}/candidate",
    response={202: schemas.ErasureOut, **scoping.ERRORS},
    summary="Erase a candidate, for good",
)
@scopes.needs(ApiKey.Scope.ERASURE_WRITE)
def erase_candidate(request: scoping.ApiRequest, invitation_id: UUID) -> Status[Erasure]:
    """Name, e-mail address, link, recordings and texts, in every state of the interview.

    The invitation is unknown at once. Ask for the erasure's `status` to see when everything is gone.
    Refused with `on_hold` while a legal hold keeps the candidate.
    """
    invitation = scoping.one(scoping.invitations_of_organisation(request), invitation_id, "invitation")
    row = erasure.erase_candidate(invitation=invitation, by=request.auth, now=timezone.now())
    return Status(202, row)


@router.get("/erasures", response={200: list[schemas.ErasureOut], **scoping.ERRORS}, summary="List erasures")
@paginate(pages.Pages, by=("requested_at",))
@scopes.needs(ApiKey.Scope.ERASURE_READ)
def list_erasures(request: scoping.ApiRequest) -> QuerySet[Erasure]:
    """What stays of erased candidates, for statistics. It names no person."""
    if request.auth.is_test:  # attempts that were set aside are marked as tests are
        raise scoping.TestKey("A key for tests lists no erasures: some are real. Read its own by their ids.")
    return _erasures_of_organisation(request)


@router.get(
    "/erasures/{uuid:erasure_id}",
    response={200: schemas.ErasureOut, **scoping.ERRORS},
    summary="Whether an erasure is complete",
)
@scopes.needs(ApiKey.Scope.ERASURE_READ)
def read_erasure(request: scoping.ApiRequest, erasure_id: UUID) -> Erasure:
    return scoping.one(_erasures_of_organisation(request), erasure_id, "erasure")
