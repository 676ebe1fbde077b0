"""Reviewers correct transcripts. What was recognised is never changed: a correction is a layer above it."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from interviews.actions import search_index
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Answer, Correction, Session
from interviews.queries import corrections
from voice.models import Transcript

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 2_000
MAX_LAYERS = 500
"""Of reviewers, of an answer: enough to correct each of its words. A program out of control makes more."""


def correct(
    *, answer: Answer, first_word: int, last_word: int, text: str, by: User, now: datetime, version: int = 1
) -> Correction:
    """Say what was said instead of the recognised words `first_word` to `last_word`, inclusive.

    text: "" where nothing was said. version: of the transcript whose words these are.

    Raises:
        BadValue: there are no such words, or the text is too long.
        WrongState: the answer has no transcript, or was erased meanwhile. Or the words are only a part of
            those that a correction stands for, or another version is used: since the page was loaded.
    """
    wanted = " ".join(text.split())
    if len(wanted) > MAX_CHARACTERS or "\0" in wanted:
        raise BadValue(_("text: write at most %d characters.") % MAX_CHARACTERS)
    return _add(answer, first_word, last_word, wanted, version=version, by=by, now=now)


def restore(
    *, answer: Answer, first_word: int, last_word: int, by: User, now: datetime, version: int = 1
) -> Correction:
    """Say that these words were recognised rightly: corrections of them end. Raises as `correct`."""
    return _add(answer, first_word, last_word, None, version=version, by=by, now=now)


@transaction.atomic
def _add(
    answer: Answer,
    first_word: int,
    last_word: int,
    text: str | None,
    *,
    version: int,
    by: User,
    now: datetime,
) -> Correction:
    transcript = locked_transcript(answer)
    if version != transcript.version:
        raise WrongState(_("Another version of the transcript is used now. Load the page again."))
    if not 0 <= first_word <= last_word < len(transcript.words):
        raise BadValue(_("words: the transcript has no such words."))
    layers = list(answer.corrections.all())
    if sum(not layer.is_by_candidate for layer in layers) >= MAX_LAYERS:
        raise WrongState(_("This answer has been corrected too often."))
    if any(_cuts(layer, first_word, last_word) for layer in corrections.in_force(transcript, layers)):
        raise WrongState(_("These words were corrected meanwhile. Look at them again."))
    made = Correction.objects.create(
        answer=answer,
        first_word=first_word,
        last_word=last_word,
        version=version,
        recognised=corrections.recognised(transcript, first_word, last_word),
        text=text,
        made_by=by,
        made_at=now,
    )
    search_index.index(answer_id=answer.pk)
    logger.info("answer %s: its transcript is corrected by %s", answer.pk, by.pk)
    return made


def _cuts(layer: Correction, first_word: int, last_word: int) -> bool:
    """Whether the words are some of those that a correction stands for, but not all of them."""
    touches = layer.first_word <= last_word and layer.last_word >= first_word
    return touches and not first_word <= layer.first_word <= layer.last_word <= last_word


def locked_transcript(answer: Answer) -> Transcript:
    """Lock the interview, as its erasure does, and return the transcript of the answer."""
    session = Session.objects.select_for_update(of=("self",)).filter(pk=answer.session_id).first()
    if session is None:
        raise WrongState(_("This answer has no transcript."))
    return transcript_of(answer)


def transcript_of(answer: Answer) -> Transcript:
    """Return the transcript of an answer. Raises WrongState if it has none."""
    found = Transcript.objects.filter(recording__answer=answer.pk, status=Transcript.Status.DONE).first()
    if found is None:
        raise WrongState(_("This answer has no transcript."))
    return found
