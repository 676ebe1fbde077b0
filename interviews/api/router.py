"""REST: interviews, invitations, progress, answers, transcripts, recordings."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from ninja.errors import AuthorizationError
from ninja.pagination import LimitOffsetPagination, paginate
from ninja.security import APIKeyHeader, HttpBearer

from accounts.access import key_has_scope
from accounts.models import ApiKey
from interviews.actions import invitations
from interviews.actions.errors import WrongState
from interviews.api import schemas
from interviews.models import Answer, Interview, Invitation, Session
from interviews.queries import progress
from voice.models import Recording, Transcript
from voice.recordings import lifecycle

INVITATION_DAYS = 14
MAX_LIMIT = 100


def _key(secret: str | None) -> ApiKey | None:
    key = ApiKey.find(secret) if secret else None
    if key is not None and not key_has_scope(key, ApiKey.Scope.INTERVIEWS):
        raise AuthorizationError(message="This API key was not issued for interviews. Make one that is.")
    return key


class BearerKey(HttpBearer):
    """`Authorization: Bearer ipk_…`"""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        return _key(token)


class HeaderKey(APIKeyHeader):
    """`X-API-Key: ipk_…`"""

    param_name = "X-API-Key"

    def authenticate(self, request: HttpRequest, key: str | None) -> ApiKey | None:
        return _key(key)


class Pages(LimitOffsetPagination):
    """`limit` and `offset`; the answer is {items, count}."""

    class Input(Schema):
        limit: int = Field(50, ge=1, le=MAX_LIMIT)
        offset: int = Field(0, ge=0, le=10**9)


class ApiRequest(HttpRequest):
    """A request whose key was found valid."""

    auth: ApiKey


ERRORS = {(401, 403, 404, 409, 422): schemas.ErrorOut}
router = Router(auth=[BearerKey(), HeaderKey()], tags=["interviews"])


def _one(rows: QuerySet, row_id: UUID, what: str) -> Any:
    try:
        return rows.get(pk=row_id)
    except rows.model.DoesNotExist:
        raise Http404(f"Your organisation has no {what} with this id.") from None


def _of_organisation(request: ApiRequest) -> QuerySet[Interview]:
    return Interview.objects.filter(organisation=request.auth.organisation)


def _interviews(request: ApiRequest) -> QuerySet[Interview]:
    return _of_organisation(request).annotate(question_count=Count("questions"))


def _invitations(request: ApiRequest) -> QuerySet[Invitation]:
    rows = Invitation.objects.filter(interview__organisation=request.auth.organisation)
    return progress.of_invitations(rows).select_related("session")


def _sessions(request: ApiRequest) -> QuerySet[Session]:
    rows = Session.objects.filter(invitation__interview__organisation=request.auth.organisation)
    return progress.of_sessions(rows).select_related("invitation")


def _answer(request: ApiRequest, answer_id: UUID) -> Answer:
    rows = Answer.objects.filter(
        session__invitation__interview__organisation=request.auth.organisation, kind=Answer.Kind.QUESTION
    )
    return _one(rows.select_related("recording__transcript"), answer_id, "answer")


@router.get("/interviews", response={200: list[schemas.InterviewOut], **ERRORS}, summary="List interviews")
@paginate(Pages)
def list_interviews(request: ApiRequest) -> QuerySet[Interview]:
    return _interviews(request)


@router.get(
    "/interviews/{uuid:interview_id}",
    response={200: schemas.InterviewDetailOut, **ERRORS},
    summary="Read one",
)
def read_interview(request: ApiRequest, interview_id: UUID) -> Interview:
    return _one(_interviews(request).prefetch_related("questions"), interview_id, "interview")


@router.post(
    "/interviews/{uuid:interview_id}/invitations",
    response={201: schemas.InvitationOut, **ERRORS},
    summary="Invite a candidate",
)
def invite(request: ApiRequest, interview_id: UUID, payload: schemas.InvitationIn) -> Status[Invitation]:
    interview = _one(_of_organisation(request), interview_id, "interview")
    now = timezone.now()
    invitation = invitations.invite(
        interview=interview,
        candidate_name=payload.candidate_name,
        candidate_email=payload.candidate_email,
        expires_at=payload.expires_at or now + timedelta(days=INVITATION_DAYS),
        by=request.auth,
        now=now,
    )
    return Status(201, invitation)


class InvitationFilter(Schema):
    interview_id: UUID | None = None
    status: schemas.InvitationStatus | None = None


@router.get(
    "/invitations", response={200: list[schemas.InvitationProgressOut], **ERRORS}, summary="List invitations"
)
@paginate(Pages)
def list_invitations(request: ApiRequest, wanted: Query[InvitationFilter]) -> QuerySet[Invitation]:
    return _invitations(request).filter(**wanted.dict(exclude_none=True))


@router.get(
    "/invitations/{uuid:invitation_id}",
    response={200: schemas.InvitationProgressOut, **ERRORS},
    summary="Read one, with its progress",
)
def read_invitation(request: ApiRequest, invitation_id: UUID) -> Invitation:
    return _one(_invitations(request), invitation_id, "invitation")


@router.post(
    "/invitations/{uuid:invitation_id}/revoke",
    response={200: schemas.InvitationProgressOut, **ERRORS},
    summary="End a link; what was said is kept",
)
def revoke(request: ApiRequest, invitation_id: UUID) -> Invitation:
    invitation = _one(_invitations(request), invitation_id, "invitation")
    invitations.revoke(invitation=invitation, by=request.auth, now=timezone.now())
    return _one(_invitations(request), invitation_id, "invitation")


@router.get("/sessions/{uuid:session_id}", response={200: schemas.SessionOut, **ERRORS}, summary="Read one")
def read_session(request: ApiRequest, session_id: UUID) -> Session:
    return _one(_sessions(request), session_id, "session")


@router.get(
    "/sessions/{uuid:session_id}/answers",
    response={200: list[schemas.AnswerOut], **ERRORS},
    summary="Its answers",
)
@paginate(Pages)
def list_answers(request: ApiRequest, session_id: UUID) -> QuerySet[Answer]:
    session = _one(_sessions(request), session_id, "session")
    answers = session.answers.filter(kind=Answer.Kind.QUESTION).order_by("position")
    return answers.select_related("recording__transcript")


@router.get(
    "/answers/{uuid:answer_id}/transcript",
    response={200: schemas.TranscriptOut, **ERRORS},
    summary="What was said",
)
def read_transcript(request: ApiRequest, answer_id: UUID) -> Transcript:
    transcript = getattr(_answer(request, answer_id).recording, "transcript", None)
    if transcript is None:
        raise Http404("This answer has no recording that was completed.")
    return transcript


@router.get(
    "/answers/{uuid:answer_id}/recording",
    response={200: schemas.RecordingOut, **ERRORS},
    summary="A short-lived address of the audio",
)
def read_recording(request: ApiRequest, answer_id: UUID) -> dict[str, Any]:
    recording = _answer(request, answer_id).recording
    if recording is None or recording.status == Recording.Status.DISCARDED:
        raise Http404("This answer has no recording.")
    expires_at = timezone.now() + timedelta(seconds=settings.RECORDING_URL_SECONDS)
    url = lifecycle.temporary_url(recording)
    if url is None:
        raise WrongState(
            f"The recording is {recording.status}: it can be fetched once it is stored. Try again soon."
        )
    return {
        "url": url,
        "expires_at": expires_at,
        "sha256": recording.sha256,
        "duration_s": recording.duration_s,
    }
