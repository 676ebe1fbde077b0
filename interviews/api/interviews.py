"""REST endpoints of interviews: write, publish, archive, copy."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from ninja.pagination import paginate

from accounts.models import ApiKey
from interviews.actions import versions, writing
from interviews.api import conditions, pages, scoping
from interviews.api.schemas import interviews as schemas
from interviews.models import Interview
from voice.web import scopes

READ, WRITE = ApiKey.Scope.INTERVIEWS_READ, ApiKey.Scope.INTERVIEWS_WRITE
ONE = "/interviews/{uuid:interview_id}"

router = Router()


class InterviewFilter(Schema):
    status: schemas.InterviewStatus | None = None
    language: str | None = None


@router.get(
    "/interviews", response={200: list[schemas.InterviewOut], **scoping.ERRORS}, summary="List interviews"
)
@paginate(pages.Pages)
@scopes.needs(READ)
def list_interviews(request: scoping.ApiRequest, wanted: Query[InterviewFilter]) -> QuerySet[Interview]:
    return scoping.counted_interviews(request).filter(**wanted.dict(exclude_none=True))


@router.post(
    "/interviews",
    response={201: schemas.InterviewDetailOut, **scoping.ERRORS},
    summary="Write an interview, as a draft",
)
@scopes.needs(WRITE)
def create_interview(request: scoping.ApiRequest, payload: schemas.InterviewIn) -> Status[Interview]:
    made = writing.create(
        organisation=request.auth.organisation, values=payload.dict(), by=request.auth, now=timezone.now()
    )
    return Status(201, whole(request, made.pk))


@router.get(ONE, response={200: schemas.InterviewDetailOut, **scoping.ERRORS}, summary="Read one")
@scopes.needs(READ)
def read_interview(request: scoping.ApiRequest, interview_id: UUID) -> Interview:
    return whole(request, interview_id)


@router.patch(
    ONE,
    response={200: schemas.InterviewDetailOut, **scoping.ERRORS},
    summary="Change what is written; candidates get it once it is published",
)
@scopes.needs(WRITE)
@transaction.atomic
def change_interview(
    request: scoping.ApiRequest, interview_id: UUID, payload: schemas.InterviewPatch
) -> Interview:
    """Needs If-Match. What is left out stays; `questions` and `rubric`, if sent, replace what is there."""
    interview = _locked(request, interview_id, is_needed=True)
    values = payload.dict(exclude_unset=True)
    writing.change(interview=interview, values=values, by=request.auth, now=timezone.now())
    return whole(request, interview_id)


@router.post(
    f"{ONE}/publish",
    response={200: schemas.InterviewDetailOut, **scoping.ERRORS},
    summary="Give candidates what is written now",
)
@scopes.needs(WRITE)
@transaction.atomic
def publish(request: scoping.ApiRequest, interview_id: UUID) -> Interview:
    """Those who have begun keep the version they agreed to. With If-Match, what you read is published."""
    interview = _locked(request, interview_id)
    versions.publish(interview=interview, by=request.auth, now=timezone.now())
    return whole(request, interview_id)


@router.post(
    f"{ONE}/archive",
    response={200: schemas.InterviewDetailOut, **scoping.ERRORS},
    summary="Invite nobody more; links that are out go on working",
)
@scopes.needs(WRITE)
@transaction.atomic
def archive(request: scoping.ApiRequest, interview_id: UUID) -> Interview:
    versions.archive(interview=_locked(request, interview_id), by=request.auth, now=timezone.now())
    return whole(request, interview_id)


@router.post(
    f"{ONE}/restore",
    response={200: schemas.InterviewDetailOut, **scoping.ERRORS},
    summary="Make an archived interview a draft again",
)
@scopes.needs(WRITE)
@transaction.atomic
def restore(request: scoping.ApiRequest, interview_id: UUID) -> Interview:
    versions.restore(interview=_locked(request, interview_id), by=request.auth, now=timezone.now())
    return whole(request, interview_id)


@router.post(
    f"{ONE}/duplicate",
    response={201: schemas.InterviewDetailOut, **scoping.ERRORS},
    summary="Copy it with questions and rubric, as a draft",
)
@scopes.needs(WRITE)
@transaction.atomic
def duplicate(request: scoping.ApiRequest, interview_id: UUID) -> Status[Interview]:
    copy = versions.duplicate(interview=_locked(request, interview_id), by=request.auth, now=timezone.now())
    return Status(201, whole(request, copy.pk))


def whole(request: scoping.ApiRequest, interview_id: UUID) -> Interview:
    """Return an interview of the organisation, with all that is shown of it."""
    rows = scoping.counted_interviews(request).select_related("published")
    parts = rows.prefetch_related("questions", "criteria__questions", "criteria__interview__questions")
    return scoping.one(parts, interview_id, "interview")


def _locked(request: scoping.ApiRequest, interview_id: UUID, *, is_needed: bool = False) -> Interview:
    """Return an interview whose row is locked, once If-Match is met."""
    rows = scoping.interviews_of_organisation(request).select_for_update(no_key=True)
    locked = scoping.one(rows, interview_id, "interview")
    if is_needed or "If-Match" in request.headers:
        shown = whole(request, interview_id)
        conditions.check(request, schemas.InterviewDetailOut, shown, is_needed=is_needed)
    return locked
