"""REST endpoints of the versions of an interview: what candidates got since when."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from ninja import Field, Query, Router, Schema
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.actions.versions import written
from interviews.api import pages, scoping
from interviews.api.schemas import interviews as schemas
from interviews.models import InterviewVersion
from interviews.queries.versions import differences
from voice.web import scopes

READ = ApiKey.Scope.INTERVIEWS_READ
ALL = "/interviews/{uuid:interview_id}/versions"
MOST = 2**31 - 1

router = Router()


class Against(Schema):
    against: int | None = Field(
        None, ge=1, le=MOST, description="The number of the other version; the one before it if left out."
    )


@router.get(
    ALL, response={200: list[schemas.VersionOut], **scoping.ERRORS}, summary="Versions that were published"
)
@paginate(pages.Pages, by=("published_at",))
@scopes.needs(READ)
def list_versions(request: scoping.ApiRequest, interview_id: UUID) -> QuerySet[InterviewVersion]:
    return _versions(request, interview_id)


@router.get(
    f"{ALL}/{{int:number}}",
    response={200: schemas.VersionDetailOut, **scoping.ERRORS},
    summary="Read one, as it was published",
)
@scopes.needs(READ)
def read_version(request: scoping.ApiRequest, interview_id: UUID, number: int) -> InterviewVersion:
    return _one(request, interview_id, number)


@router.get(
    f"{ALL}/{{int:number}}/differences",
    response={200: list[schemas.DifferenceOut], **scoping.ERRORS},
    summary="What is different in it from another version",
)
@scopes.needs(READ)
def compare_versions(
    request: scoping.ApiRequest, interview_id: UUID, number: int, wanted: Query[Against]
) -> Sequence[Any]:
    """The first version has none before it, so there is nothing to tell."""
    version, against = _one(request, interview_id, number), wanted.against or number - 1
    return differences(written(_one(request, interview_id, against)), written(version)) if against else []


def _versions(request: scoping.ApiRequest, interview_id: UUID) -> QuerySet[InterviewVersion]:
    interview = scoping.one(scoping.interviews_of_organisation(request), interview_id, "interview")
    published = InterviewVersion.objects.filter(interview=interview, number__isnull=False)
    return published.select_related("interview")


def _one(request: scoping.ApiRequest, interview_id: UUID, number: int) -> InterviewVersion:
    rows = _versions(request, interview_id)
    found = rows.filter(number=number).first() if number <= MOST else None
    if found is None:
        raise Http404("Your organisation's interview has no version of this number.")
    return found
