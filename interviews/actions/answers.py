"""Answering questions."""

import unicodedata
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F

from interviews import states
from interviews.actions import follow_ups, order, search_index
from interviews.actions.errors import AudioMissing, BadValue, WrongState
from interviews.actions.transitions import move
from interviews.events import publishing
from interviews.models import Answer, Invitation
from interviews.texts import vocabulary
from voice import errors
from voice.encryption import keys
from voice.models import Recording
from voice.recordings import lifecycle

MAX_TYPED_CHARACTERS = 10_000
MAX_HEARD_AGAIN = 100
"""More is not counted."""


@transaction.atomic(savepoint=False)
def ask(*, answer: Answer, by: object, now: datetime) -> None:
    """Record that the question is shown. The think time starts now."""
    order.require_current(answer)
    move(answer, states.ASK, by=by, asked_at=now)
    publishing.publish("question_asked", answer.session, answer)


def hear_again(*, answer: Answer, by: object, now: datetime) -> None:
    """Count that the candidate had the question played once more, before the answer."""
    countable = {"status": states.AnswerStatus.ASKED, "heard_again__lt": MAX_HEARD_AGAIN}
    Answer.objects.filter(pk=answer.pk, **countable).update(heard_again=F("heard_again") + 1)


@transaction.atomic(savepoint=False)
def begin(*, answer: Answer, by: object, now: datetime) -> None:
    """Begin to record."""
    order.require_current(answer)
    changes = {} if answer.asked_at else {"asked_at": now}
    move(answer, states.BEGIN_ANSWER, by=by, began_at=now, recording=_new_recording(answer), **changes)
    publishing.publish("answer_began", answer.session, answer)


@transaction.atomic(savepoint=False)
def finish(
    *, answer: Answer, byte_count: int, has_speech: bool | None = None, by: object, now: datetime
) -> None:
    """Complete the answer with `byte_count` bytes of audio, and queue its transcription and storage.

    has_speech: whether a voice was heard in it; None if that is not known. An answer that ended at its limit
    goes on by itself only if one was: see `_end_at_limit`.

    Raises AudioMissing, with nothing changed, while fewer bytes are held.
    """
    if answer.status != states.AnswerStatus.RECORDING:
        raise WrongState(f"answer is {answer.status}: there is nothing to finish.")
    _seal(answer, at_least=byte_count, now=now)
    recording = answer.current_recording
    if not has_speech and (recording.byte_count or 0) >= recording.max_bytes:
        _end_at_limit(answer, is_silent=has_speech is False, by=by, now=now)
        return
    may_go_back = answer.retakes_left or answer.kind == Answer.Kind.PRACTICE
    transition = states.COMPLETE_ANSWER if may_go_back else states.ACCEPT_AT_ONCE
    move(answer, transition, by=by, completed_at=now)
    if answer.status == states.AnswerStatus.ACCEPTED:
        _go_on(answer, name="answer_finished", by=by, now=now)
    else:
        publishing.publish("answer_finished", answer.session, answer)


@transaction.atomic(savepoint=False)
def time_out(*, answer: Answer, has_speech: bool | None, by: object, now: datetime) -> None:
    """The server's clock has run out: begin an answer that was only asked, or end one in which nothing came.

    For one that was accepted the wait for a follow-up is over.
    An answer in which a voice was heard, or may have been, is left alone: the limit of its audio ends it.
    """
    if answer.status == states.AnswerStatus.ASKED:
        begin(answer=answer, by=by, now=now)
    elif answer.status == states.AnswerStatus.RECORDING and _is_without_speech(answer, has_speech):
        _seal(answer, at_least=0, now=now)
        _end_at_limit(answer, is_silent=True, by=by, now=now)
    elif answer.status == states.AnswerStatus.ACCEPTED:
        follow_ups.settle(answer=answer, by=by, now=now, is_over=True)


def _is_without_speech(answer: Answer, has_speech: bool | None) -> bool:
    if has_speech is None:
        return not lifecycle.held_bytes(answer.current_recording)
    return not has_speech


def _end_at_limit(answer: Answer, *, is_silent: bool, by: object, now: datetime) -> None:
    """End an answer in which no voice was heard: no clock may accept it.

    Where it is certain that nothing was said, the question is asked once more. The second time, and where
    nobody listened, the answer is kept, and the interview waits until the candidate goes on.
    """
    may_ask_again = answer.kind != Answer.Kind.PRACTICE and answer.asked_again_at is None
    if is_silent and may_ask_again:
        silence = answer.current_recording
        move(answer, states.ASK_AGAIN, by=by, asked_again_at=now, recording=None)
        lifecycle.discard(recording=silence)
        publishing.publish("question_asked_again", answer.session, answer)
        return
    move(answer, states.COMPLETE_ANSWER, by=by, completed_at=now, is_silent=is_silent)
    publishing.publish("answer_finished", answer.session, answer)


@transaction.atomic(savepoint=False)
def accept(*, answer: Answer, by: object, now: datetime) -> None:
    """Accept the answer. The practice answer is deleted here."""
    if answer.kind == Answer.Kind.PRACTICE:
        end_practice(answer=answer, transition=states.ACCEPT_ANSWER, by=by, now=now, name="answer_accepted")
        return
    move(answer, states.ACCEPT_ANSWER, by=by)
    _go_on(answer, name="answer_accepted", by=by, now=now)


@transaction.atomic(savepoint=False)
def retake(*, answer: Answer, by: object, now: datetime) -> None:
    """Record again; the earlier recording is deleted, as the candidate was told."""
    if answer.status not in states.RETAKE.sources:
        raise WrongState(f"answer is {answer.status}: there is nothing to record again.")
    if not answer.retakes_left:
        raise WrongState("answer has no retake left.")
    earlier = answer.current_recording
    changes = {"retakes_left": answer.retakes_left - 1, "began_at": now, "completed_at": None}
    move(answer, states.RETAKE, by=by, recording=_new_recording(answer), **changes)
    search_index.forget(answer_id=answer.pk)
    lifecycle.discard(recording=earlier)
    publishing.publish("retake_began", answer.session, answer)


@transaction.atomic(savepoint=False)
def type_answer(*, answer: Answer, text: str, byte_count: int = 0, by: object, now: datetime) -> None:
    """Save a typed answer, of a candidate without a microphone or with written answers.

    The recording so far, `byte_count` bytes, is kept with it. Raises AudioMissing, with nothing changed,
    while fewer bytes are held.
    """
    text = _checked_text(text)
    order.require_current(answer)
    if answer.status == states.AnswerStatus.RECORDING:
        _seal(answer, at_least=byte_count, now=now)
    if answer.kind == Answer.Kind.PRACTICE:
        end_practice(answer=answer, transition=states.TYPE_ANSWER, by=by, now=now, name="answer_typed")
        return
    move(answer, states.TYPE_ANSWER, by=by, typed_text=text, completed_at=now)
    search_index.index(answer_id=answer.pk)
    _go_on(answer, name="answer_typed", by=by, now=now)


def end_practice(
    *, answer: Answer, transition: states.Transition, by: object, now: datetime, name: str
) -> None:
    """Delete the practice recording, start the interview and publish the event `name`."""
    session = answer.session
    move(session, states.GET_UNDER_WAY, by=by)
    move(answer, transition, by=by)
    discard_recording(answer)
    _go_on(answer, name=name, by=by, now=now)  # an interview without questions is finished here


def discard_recording(answer: Answer) -> None:
    """Delete the recording of the practice answer, as the candidate was told."""
    if answer.recording is not None:
        lifecycle.discard(recording=answer.recording)
        answer.recording.refresh_from_db()


def complete_unattended(*, answer: Answer, by: object, now: datetime) -> None:
    """Keep the recording of an answer that the candidate left unfinished."""
    _seal(answer, at_least=0, now=now)
    move(answer, states.ACCEPT_AT_ONCE, by=by, completed_at=now)


def _seal(answer: Answer, *, at_least: int, now: datetime) -> None:
    try:
        lifecycle.seal(recording=answer.current_recording, at_least=at_least, now=now)
    except errors.AudioMissing as error:
        raise AudioMissing(str(error), offset=error.held_bytes) from error


def _checked_text(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= MAX_TYPED_CHARACTERS:
        raise BadValue(f"text: between 1 and {MAX_TYPED_CHARACTERS} characters are needed, {len(text)} came.")
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t" for char in text):
        raise BadValue("text: it holds control characters. Write it again without them.")
    return text


def _new_recording(answer: Answer) -> Recording:
    definition = answer.session.agreed
    accommodation = answer.session.invitation.accommodation
    limit_s = answer.answer_limit_seconds
    return lifecycle.create(
        language=definition.language,
        max_seconds=accommodation.recorded_s(limit_s) if accommodation else limit_s,
        owner=definition.owner,
        hot_words=vocabulary.hot_words(definition.vocabulary, definition.shared_vocabulary),
        data_key=_data_key(answer.session.invitation_id) if settings.VOICE["ENCRYPTION"] else None,
    )


def _data_key(invitation_id: UUID) -> UUID | None:
    """Return the key of a candidate, whose session is locked; the first recording reserves it."""
    invitation = Invitation.objects.filter(pk=invitation_id)
    known = invitation.values_list("data_key", flat=True).first()
    if known is None:
        known = keys.reserve()
        invitation.update(data_key=known)
    return known


def _go_on(answer: Answer, *, name: str, by: object, now: datetime) -> None:
    """Tell by the event `name` that the answer is accepted; then comes a follow-up, a question or the end."""
    is_followed = follow_ups.begin_waiting(answer=answer, now=now)
    if not is_followed:
        order.finish_if_over(answer.session, by=by, now=now)
    publishing.publish(name, answer.session, answer)
    if is_followed and not follow_ups.is_model_awaited(answer):
        follow_ups.settle(answer=answer, by=by, now=now, is_over=True)
