"""Transcribing answers again with another model. Every version is kept, and one of them is used.

A new version changes nothing by itself unless that was wanted, and never where words were corrected: a
correction belongs to the version that it was made on. Whoever leaves a version that the candidate corrected
confirms it.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from interviews.actions import search_index
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Answer, Session
from interviews.queries import corrections, recognition, transcript_versions
from interviews.states import OPEN_SESSION_STATUSES
from voice.models import Transcript, TranscriptVersion
from voice.recordings import versions
from voice.recordings.versions import Obstacle
from voice.types import EngineModel

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 300
"""Answers of one organisation that wait to be transcribed again: some hours of work for one worker."""
_WORDS: Final[dict[Obstacle, Any]] = {
    Obstacle.NOT_STORED: gettext_lazy("The recording is not stored, or it was erased."),
    Obstacle.NOT_TRANSCRIBED: gettext_lazy("The first transcript is not there yet."),
    Obstacle.WAITING: gettext_lazy("It is being transcribed again already."),
    Obstacle.KEPT: gettext_lazy("There is a version by this model already."),
    Obstacle.TOO_MANY: gettext_lazy("It was transcribed too often."),
}


@transaction.atomic
def transcribe_again(
    *, sessions: Sequence[Session], model: EngineModel, is_to_be_current: bool, by: User, now: datetime
) -> int:
    """Ask for a version by this model of all answers of these interviews; return how many are new.

    sessions: of one organisation, with their invitation and interview. Answers without a stored recording, or
    with a version by this model, are left out.

    Raises:
        BadValue: no worker has this model.
        WrongState: none of the answers can be transcribed again, the message says why. Or an interview is
            under way, or its consent was withdrawn. Or too much of this organisation's waits already.
    """
    if not sessions:
        return 0
    for session in sessions:
        _check(session, model)
    answers = Answer.objects.filter(session__in=sessions).exclude(kind=Answer.Kind.PRACTICE)
    return _request(sessions[0], answers.filter(recording__isnull=False), model, is_to_be_current, by, now)


@transaction.atomic
def transcribe_answer_again(
    *, answer: Answer, model: EngineModel, is_to_be_current: bool, by: User, now: datetime
) -> None:
    """Ask for a version of one answer's transcript. Raises as `transcribe_again`."""
    _check(answer.session, model)
    answers = Answer.objects.filter(pk=answer.pk).exclude(kind=Answer.Kind.PRACTICE)
    _request(answer.session, answers.filter(recording__isnull=False), model, is_to_be_current, by, now)


def _check(session: Session, model: EngineModel) -> None:
    if session.status in OPEN_SESSION_STATUSES:
        raise WrongState(
            _("The interview is under way. Its answers can be transcribed again when it has ended.")
        )
    if _is_withdrawn(session):
        raise WrongState(_("Consent withdrawn"))
    if model not in recognition.models_for(session.agreed.language):
        raise BadValue(_("model: this model does not run now, or does not know the language."))


def _is_withdrawn(session: Session) -> bool:
    """Whether the consent was withdrawn, to this interview or to the one that it was set aside of."""
    about = Q(pk=session.pk) | Q(invitation__set_aside=session.invitation_id)
    return Session.objects.filter(about, withdrawn_at__isnull=False).exists()


def _request(
    session: Session, answers: Any, model: EngineModel, is_to_be_current: bool, by: User, now: datetime
) -> int:
    ids = list(answers.values_list("recording_id", flat=True))
    waiting = transcript_versions.count_waiting(session.interview.organisation_id)
    if waiting + len(ids) > MOST_WAITING:
        raise WrongState(
            _("At most %d answers of an organisation can wait to be transcribed again. Try it later.")
            % MOST_WAITING
        )
    hindered = versions.request(
        recording_ids=ids, model=model, is_to_be_current=is_to_be_current, by=str(by.pk), now=now
    )
    count = len(ids) - len(hindered)
    if not count:
        raise WrongState(str(_WORDS[hindered[0] if hindered else Obstacle.NOT_STORED]))
    logger.info("session %s: %d answers are transcribed again, asked for by %s", session.pk, count, by.pk)
    return count


def use(*, answer: Answer, version: int, is_confirmed: bool, by: User) -> None:
    """Let one of the versions be the answer's transcript, for pages, search, exports and programs.

    is_confirmed: whether the person knows that the candidate's corrections belong to the one that is used.

    Raises:
        WrongState: there is no such version, or it is not done. Or it is not confirmed where it must be.
    """

    def may(transcript: Transcript) -> bool:
        corrected = corrections.by_candidate(answer.corrections.all())
        if transcript.version in corrected - {version} and not is_confirmed:
            raise WrongState(
                _("The candidate corrected the version that is used. Confirm that you leave it.")
            )
        return True

    if not _use(answer, version, may):
        raise WrongState(_("There is no such version, or it is not done."))
    logger.info("answer %s: version %d of its transcript is used, chosen by %s", answer.pk, version, by.pk)


def version_finished(*, version: TranscriptVersion) -> None:
    """Use a new version if that was wanted, unless words of the one that is used were corrected."""
    answer = Answer.objects.filter(recording=version.recording_id).first()
    if answer is not None and version.is_to_be_current:
        _use(answer, version.version, lambda transcript: not _is_corrected(transcript, answer))


def _is_corrected(transcript: Transcript, answer: Answer) -> bool:
    layers = list(answer.corrections.all())
    is_by_candidate = transcript.version in corrections.by_candidate(layers)
    return is_by_candidate or bool(corrections.in_force(transcript, layers))


@transaction.atomic
def _use(answer: Answer, number: int, may: Callable[[Transcript], bool]) -> bool:
    """Lock the interview, as corrections and its erasure do, and use the version."""
    session = Session.objects.select_for_update(of=("self",)).filter(pk=answer.session_id).first()
    version = TranscriptVersion.objects.filter(recording__answer=answer.pk, version=number).first()
    transcript = Transcript.objects.filter(recording__answer=answer.pk).first()
    if session is None or version is None or transcript is None:
        return False
    if not may(transcript) or not versions.use(version):
        return False
    search_index.index(answer_id=answer.pk)
    return True
