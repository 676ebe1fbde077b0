"""REST endpoint: the legal holds, which keep candidates from being erased. People place and end them."""

from django.db.models import QuerySet
from ninja import Router
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.api import pages, scoping
from interviews.api.schemas import holds as schemas
from interviews.models import LegalHold
from voice.web import scopes

router = Router()


@router.get(
    "/legal-holds", response={200: list[schemas.LegalHoldOut], **scoping.ERRORS}, summary="List legal holds"
)
@paginate(pages.Pages, by=("placed_at",))
@scopes.needs(ApiKey.Scope.ERASURE_READ)
def list_holds(request: scoping.ApiRequest) -> QuerySet[LegalHold]:
    """Newest first, with those that have ended. While one lasts, erasing its candidates is refused."""
    if request.auth.is_test:
        raise scoping.TestKey("A key for tests reads no legal holds: they are of real candidates.")
    return LegalHold.objects.filter(interview__organisation=request.auth.organisation)
