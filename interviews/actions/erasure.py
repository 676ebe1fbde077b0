"""Erasing a candidate.

The rows go in the transaction that writes the row `Erasure`, which stays for statistics without a name.
From then on the link is unknown, and late audio or transcripts find nothing that they belong to. A job erases
the rest (Redis, object storage); the sweeper queues it again until nothing is found. Only then the erasure is
complete.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import admin_log
from accounts.audit import doors
from accounts.audit.recording import Entry, record
from accounts.models import ApiKey, User
from interviews import states
from interviews.actions import erasure_notes, exports, outbox, personal_data
from interviews.actions.errors import OnHold, WrongState
from interviews.actions.interviews import practice_text
from interviews.admission.places import PLACE_LEASE_S
from interviews.events import publishing
from interviews.models import (
    Answer,
    Erasure,
    EventType,
    Exchange,
    Interview,
    InterviewVersion,
    Invitation,
    Question,
    Session,
)
from interviews.queries import retention
from interviews.texts.practice import PRACTICE
from voice.queues import jobs
from voice.recordings import lifecycle
from voice.speech import rendering

logger = logging.getLogger(__name__)

JOB = "interviews.jobs.complete_erasure"
RETRY = timedelta(seconds=10)
NOT_SWEPT = timedelta(seconds=5)
"""The job is queued after the commit; a sweep in between would queue it twice."""
OVERDUE_AT_ONCE = 100
TRIALS_KEPT = timedelta(days=1)
"""So long after it was begun, what a recruiter said while trying an interview is erased."""
SETTLES = timedelta(seconds=PLACE_LEASE_S)
"""A connection that is being closed may renew the place of its candidate once more."""


@transaction.atomic
def ask(*, invitation: Invitation, now: datetime) -> Erasure | None:
    """Erase a candidate who asks for it. During a legal hold the request is kept and carried out at its end.

    Return what stays; None where the candidate has to wait.

    Raises WrongState when the candidate was erased meanwhile.
    """
    try:
        with transaction.atomic():
            return erase_candidate(invitation=invitation, by=invitation, now=now)
    except OnHold:
        waiting = Invitation.objects.filter(pk=invitation.pk, erasure_requested_at=None)
        waiting.update(erasure_requested_at=now)
        logger.info("the candidate of invitation %s asked for the erasure during a hold", invitation.pk)
        return None


@transaction.atomic
def erase_candidate(
    *, invitation: Invitation, by: object, now: datetime, is_repeated: bool = False
) -> Erasure:
    """Erase a candidate, whatever the state of the interview, with attempts set aside. Return what stays.

    is_repeated: after a restore, of one who was erased before: a hold in the backup had ended by then.

    Raises:
        OnHold: a legal hold keeps the candidate.
        WrongState: the candidate was erased meanwhile.
    """
    # Lock the session's row first, in the same order as the finish of a session does: this avoids a deadlock.
    Session.objects.select_for_update().filter(invitation=invitation).first()
    locked = Invitation.objects.select_for_update().filter(pk=invitation.pk).first()
    if locked is None:
        raise WrongState("invitation was erased before.")
    if not is_repeated and retention.hold_of(locked):
        raise OnHold(_("A legal hold keeps this candidate from being erased, until it is ended."))
    for earlier in locked.set_aside.all():
        erase_candidate(invitation=earlier, by=by, now=now, is_repeated=is_repeated)
    session = Session.objects.filter(invitation=locked).first()
    _leave_entry(locked, now)
    erasure = _what_stays(locked, session, by=by, now=now)
    recordings, texts = _spoken(session) if session else ([], [])
    for store in (personal_data.TOLD, personal_data.ANSWERED):
        personal_data.STORES[store].erase(str(locked.pk))
    outbox.tell(EventType.CANDIDATE_ERASED, locked.pk, now=now)
    personal_data.STORES[personal_data.SPREADSHEETS].erase(str(locked.pk))
    personal_data.STORES[personal_data.CANDIDATE].erase(str(locked.pk))
    admin_log.replace_ids(Invitation, [invitation.pk], by=erasure.pk)
    data_keys = [locked.data_key] if locked.data_key else []
    lifecycle.erase(recording_ids=recordings, data_keys=data_keys)
    rendering.erase(texts)
    erasure.pending, erasure.steps = [*map(str, [*data_keys, *recordings]), *texts], ["rows"]
    erasure.save()
    exports.end(locked.pk, erasure=erasure)
    if session is not None:
        publishing.close_connections(session.pk)
    queue_completion(erasure.pk)
    logger.info("erasure %s is under way by %s", erasure.pk, _actor(by))
    return erasure


def _leave_entry(invitation: Invitation, now: datetime) -> None:
    """Say in the audit that the candidate was erased: in the entry of the request, or in one of the clock."""
    candidates, organisation = (
        [invitation.set_aside_of_id or invitation.pk],
        invitation.interview.organisation_id,
    )
    if not doors.about_candidates(candidates, organisation_id=organisation, kind=doors.Kind.ERASED):
        entry = Entry(doors.Kind.ERASED, "erase_candidate", now)
        record(entry, organisations=[organisation], candidates=candidates)


def _what_stays(invitation: Invitation, session: Session | None, *, by: object, now: datetime) -> Erasure:
    erasure = Erasure(
        interview=invitation.interview,
        source=_source(by),
        requested_by=by if isinstance(by, User) else None,
        requested_at=now,
        retry_at=now + NOT_SWEPT,
        note=erasure_notes.digest(invitation.pk),
        invitation_status=invitation.status,
        invited_on=invitation.created_at.date(),
        is_trial=invitation.tried_id is not None or invitation.set_aside_of_id is not None,
    )
    if session is not None:
        erasure.session_key, erasure.session_status = session.pk, session.status
        erasure.begun_on = session.consented_at.date()
        erasure.finished_on = session.finished_at and session.finished_at.date()
        answered = session.answers.filter(kind=Answer.Kind.QUESTION, status=Answer.Status.ACCEPTED)
        erasure.answer_count = answered.count()
    return erasure


def _source(by: object) -> Erasure.Source:
    if isinstance(by, Erasure.Source):
        return by
    kinds = {User: Erasure.Source.RECRUITER, ApiKey: Erasure.Source.API, Invitation: Erasure.Source.CANDIDATE}
    return next((source for kind, source in kinds.items() if isinstance(by, kind)), Erasure.Source.RETENTION)


def _actor(by: object) -> object:
    return "the candidate" if isinstance(by, Invitation) else getattr(by, "pk", by)


def _spoken(session: Session) -> tuple[list[UUID], list[str]]:
    """Return the recordings of a session, and the texts that were spoken for it only."""
    answers = Answer.objects.filter(session=session)
    recordings = answers.exclude(recording=None).values_list("recording_id", flat=True)
    return [each for each in recordings if each is not None], _own_texts(session, answers)


def _own_texts(session: Session, answers: QuerySet[Answer]) -> list[str]:
    """Return the keys of the texts that were spoken for this candidate only."""
    asked = dict(answers.values_list("speech_key", "question_text"))
    texts = set(asked.values())
    configured = set(PRACTICE.values())
    if session.definition is not None:
        configured |= {practice_text(session.definition), *(each.text for each in session.definition.asked)}
    configured |= set(Question.objects.filter(text__in=texts).values_list("text", flat=True))
    practice = Interview.objects.filter(practice_question__in=texts)
    configured |= set(practice.values_list("practice_question", flat=True))
    own = [key for key, text in asked.items() if text not in configured]
    made = Exchange.objects.filter(answer__in=answers).exclude(speech_key="")  # asked or not
    own += made.exclude(question__in=configured).values_list("speech_key", flat=True)
    others = (
        Answer.objects.filter(speech_key__in=own).exclude(session=session) if own else Answer.objects.none()
    )
    return sorted(set(own) - set(others.values_list("speech_key", flat=True)))


def erase_overdue(*, now: datetime) -> int:
    """Erase candidates whose retention is over, and trials; at most `OVERDUE_AT_ONCE`. Return how many.

    With them go those who asked during a hold that has ended, and who withdrew their consent a week ago.
    """
    count = 0
    overdue = retention.kept_until().filter(erased_at__lte=now)
    tried = Invitation.objects.filter(~retention.is_held(), tried__isnull=False)
    tried = tried.filter(created_at__lte=now - TRIALS_KEPT)
    for invitation in [*overdue[:OVERDUE_AT_ONCE], *tried[:OVERDUE_AT_ONCE]]:
        by = Erasure.Source.CANDIDATE if invitation.erasure_requested_at else Erasure.Source.RETENTION
        try:
            erase_candidate(invitation=invitation, by=by, now=now)
            count += 1
        except (OnHold, WrongState):
            continue  # in the meantime
    InterviewVersion.objects.filter(number=None, published_at__lte=now - TRIALS_KEPT, sessions=None).exclude(
        pk__in=Invitation.objects.filter(tried__isnull=False).values("tried")
    ).delete()
    return count


def erase_again(*, now: datetime) -> int:
    """After a restore, erase those candidates again who were erased since. Return how many."""
    notes, count = erasure_notes.all_notes(), 0
    if not notes:
        return 0
    for invitation in Invitation.objects.iterator():
        if (note := erasure_notes.digest(invitation.pk)) not in notes:
            continue
        try:
            source = Erasure.Source(erasure_notes.read(note))
            erase_candidate(invitation=invitation, by=source, now=now, is_repeated=True)
            count += 1
        except WrongState:
            continue  # an attempt that was erased with the candidate's last one
    return count


def queue_completion(erasure_id: object) -> None:
    """Queue the job that completes an erasure."""
    jobs.enqueue("default", JOB, str(erasure_id), job_id=completion_job_id(erasure_id))


def completion_job_id(erasure_id: object) -> str:
    """Return the id of the one job that may complete the erasure."""
    return f"complete-erasure-{erasure_id}"


def complete(*, erasure: Erasure, now: datetime) -> bool:
    """Erase what is left, and return whether nothing is found any more. It may be called again and again."""
    if erasure.note:
        erasure_notes.write(erasure.note, erasure.source)
    left = personal_data.pending(erasure.pending)
    if erasure.session_key is not None:
        left += _erase_presence(erasure.session_key)
    left += exports.delete_ended(erasure)
    if left or not _has_settled(erasure, now):
        Erasure.objects.filter(pk=erasure.pk).update(retry_at=now + RETRY)
        return False
    Erasure.objects.filter(pk=erasure.pk, status=Erasure.Status.WAITING).update(
        status=Erasure.Status.DONE,
        done_at=now,
        session_key=None,
        note="",
        pending=[],
        steps=["rows", "connections", "exports", "speech service"],
        last_error="",
    )
    logger.info("erasure %s is complete", erasure.pk)
    return True


def _erase_presence(session_key: UUID) -> list[str]:
    """End connections again, for the message before may have been lost; return what Redis still has."""
    publishing.close_connections(session_key)
    presence = personal_data.STORES[personal_data.PRESENCE]
    presence.erase(str(session_key))
    return presence.find(str(session_key))


def _has_settled(erasure: Erasure, now: datetime) -> bool:
    """Whether no web process renews the place of the candidate any more."""
    was_open = erasure.session_status in states.OPEN_SESSION_STATUSES
    return not was_open or now >= erasure.requested_at + SETTLES


def postpone(*, erasure: Erasure, error: Exception, now: datetime) -> None:
    """Note that a store was away; the sweeper queues the job again."""
    reason = f"{type(error).__name__} in a store"
    Erasure.objects.filter(pk=erasure.pk).update(retry_at=now + RETRY, last_error=reason)
