"""REST endpoints of interviews and their questions."""

from uuid import UUID

from django.db.models import QuerySet
from ninja import Router
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.api import pages, scoping
from interviews.api.schemas import interviews as schemas
from interviews.models import Interview
from voice.web import scopes

router = Router()


@router.get(
    "/interviews", response={200: list[schemas.InterviewOut], **scoping.ERRORS}, summary="List interviews"
)
@paginate(pages.Pages)
@scopes.needs(ApiKey.Scope.INTERVIEWS_READ)
def list_interviews(request: scoping.ApiRequest) -> QuerySet[Interview]:
    return scoping.counted_interviews(request)


@router.get(
    "/interviews/{uuid:interview_id}",
    response={200: schemas.InterviewDetailOut, **scoping.ERRORS},
    summary="Read one",
)
@scopes.needs(ApiKey.Scope.INTERVIEWS_READ)
def read_interview(request: scoping.ApiRequest, interview_id: UUID) -> Interview:
    return scoping.one(
        scoping.counted_interviews(request).prefetch_related("questions"), interview_id, "interview"
    )
