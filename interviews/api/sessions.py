"""REST endpoints of sessions, answers, transcripts and recordings."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from ninja import Router
from ninja.pagination import paginate

from accounts.audit.doors import Kind, leaves
from accounts.models import ApiKey
from interviews.actions.errors import WrongState
from interviews.api import pages, scoping
from interviews.api.schemas import results as schemas
from interviews.exports.schema import CandidateInterview, described
from interviews.models import Answer, Session
from interviews.queries import blindness, records
from interviews.queries.answers import AnswerRecord
from voice.models import Recording
from voice.recordings import addresses
from voice.web import scopes

logger = logging.getLogger(__name__)

router = Router()


@router.get(
    "/sessions/{uuid:session_id}", response={200: schemas.SessionOut, **scoping.ERRORS}, summary="Read one"
)
@scopes.needs(ApiKey.Scope.RESULTS_READ)
def read_session(request: scoping.ApiRequest, session_id: UUID) -> Session:
    return scoping.one(scoping.sessions_of_organisation(request), session_id, "session")


@router.get(
    "/sessions/{uuid:session_id}/export",
    response={200: CandidateInterview, **scoping.ERRORS},
    summary="All of it in one document, but for the sound",
)
@scopes.needs(ApiKey.Scope.RESULTS_READ)
@leaves(Kind.EXPORTED)
def export_session(request: scoping.ApiRequest, session_id: UUID) -> CandidateInterview:
    """`evaluation` is null unless the key has `scores:read` too."""
    session = scoping.one(scoping.sessions_of_organisation(request), session_id, "session")
    logger.info("session %s exported to key %s", session.pk, request.auth.pk)
    viewer = blindness.PROGRAM if ApiKey.Scope.SCORES_READ in request.auth.granted else None
    return described(records.of(session.pk, viewer=viewer), now=timezone.now())


@router.get(
    "/sessions/{uuid:session_id}/answers",
    response={200: list[schemas.AnswerOut], **scoping.ERRORS},
    summary="Its answers",
)
@paginate(pages.InOrder, by=("position", "follow_up"))
@scopes.needs(ApiKey.Scope.RESULTS_READ)
def list_answers(request: scoping.ApiRequest, session_id: UUID) -> QuerySet[Answer]:
    session = scoping.one(scoping.sessions_of_organisation(request), session_id, "session")
    answers = session.answers.exclude(kind=Answer.Kind.PRACTICE)
    return answers.select_related("recording__transcript")


@router.get(
    "/answers/{uuid:answer_id}/transcript",
    response={200: schemas.TranscriptOut, **scoping.ERRORS},
    summary="What was said",
)
@scopes.needs(ApiKey.Scope.RESULTS_READ)
def read_transcript(request: scoping.ApiRequest, answer_id: UUID) -> schemas.TranscriptOut:
    """Word by word, in layers: as it was recognised, corrected by reviewers, reworded by the candidate."""
    row = scoping.answer_of_organisation(request, answer_id)
    transcript = schemas.transcript_out(AnswerRecord.of(row))
    if transcript is None:
        raise Http404("This answer has no recording that was completed.")
    return transcript


@router.get(
    "/answers/{uuid:answer_id}/recording",
    response={200: schemas.RecordingOut, **scoping.ERRORS},
    summary="A short-lived address of the audio",
)
@scopes.needs(ApiKey.Scope.RESULTS_READ)
def read_recording(request: scoping.ApiRequest, answer_id: UUID) -> dict[str, Any]:
    recording = scoping.answer_of_organisation(request, answer_id).recording
    if recording is None or recording.status == Recording.Status.DISCARDED:
        raise Http404("This answer has no recording.")
    expires_at = timezone.now() + timedelta(seconds=settings.RECORDING_URL_SECONDS)
    url = addresses.temporary_url(recording)
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
