"""Candidates say, after their interview, what was heard wrongly: in other words, or by a flag alone."""

import logging
import unicodedata
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from interviews.actions import search_index
from interviews.actions.corrections import locked_transcript, transcript_of
from interviews.actions.errors import BadValue, WrongState
from interviews.models import Answer, Correction, Invitation, Session
from interviews.queries import corrections, links, rewording
from voice.models import Transcript

logger = logging.getLogger(__name__)

MAX_CHANGES = 200
"""Of one candidate in one answer. Reviewers' corrections are counted apart, so there is room for them."""
LONGER_BY: Final = 1.5
ADDED_CHARACTERS: Final = 200
"""A corrected answer may be so many times as long as what was heard, and so many characters longer: a
sentence that was not heard fits, a new answer does not."""
DIRECTIONS: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the direction of writing: a text with them reads otherwise than it is stored."""


def reword(*, answer: Answer, text: str, shown: str, by: Invitation, now: datetime) -> int:
    """Say what was said, as the whole text of the answer. Return how many runs of words were changed.

    shown: `rewording.digest` of the text that was changed. The texts are compared without a lock, which is
    taken only to see that they are still the same, and to save.

    Raises:
        BadValue: nothing is left, it is too long, or holds what cannot be kept.
        WrongState: the time for it is over, the answer has no words, they are others meanwhile, or something
            else of the interview is saved at this moment.
    """
    wanted = _checked(text)
    transcript, own = _shown_words(answer, shown, now)
    if not transcript.words:
        raise WrongState(_("The words of this answer cannot be changed. Say that it was heard wrongly."))
    if len(wanted) > LONGER_BY * len(transcript.text) + ADDED_CHARACTERS:
        raise BadValue(_("This is much longer than what we heard. Please correct only what you said."))
    made = rewording.changes(transcript, own, wanted)
    if len(own) + len(made) > MAX_CHANGES:
        raise WrongState(_("This answer has been changed too often. Say that it was heard wrongly."))
    if made:
        _save(answer, [_layer(answer, transcript, change, now) for change in made], shown, now)
        logger.info("answer %s: its transcript is corrected by the candidate", answer.pk)
    return len(made)


def _shown_words(answer: Answer, shown: str, now: datetime) -> tuple[Transcript, list[Correction]]:
    """Return the transcript and the candidate's corrections of it, if these make the text that was shown."""
    transcript = transcript_of(answer)
    _require_open(answer, now)
    own = list(answer.corrections.filter(is_by_candidate=True))
    if shown != rewording.digest(transcript, own):
        raise _changed_meanwhile()
    return transcript, own


@transaction.atomic
def _save(answer: Answer, layers: list[Correction], shown: str, now: datetime) -> None:
    """Save the layers if the text is still the one that was shown.

    The lock is the same as that of `locked_transcript`, but nothing waits for it here: a candidate's program
    that sends many changes at once would let each of them hold a connection to the database.
    """
    rows = Session.objects.select_for_update(of=("self",), skip_locked=True)
    if rows.filter(pk=answer.session_id).first() is None:
        raise _changed_meanwhile()
    _shown_words(answer, shown, now)
    Correction.objects.bulk_create(layers)
    search_index.index(answer_id=answer.pk)


def _changed_meanwhile() -> WrongState:
    return WrongState(_("These words have changed since you opened the page. Please look at them again."))


def _layer(answer: Answer, transcript: Transcript, change: rewording.Change, now: datetime) -> Correction:
    first, last = change.first_word, change.last_word
    return Correction(
        answer=answer,
        first_word=first,
        last_word=last,
        recognised=corrections.recognised(transcript, first, last),
        text=change.text,
        version=transcript.version,
        is_by_candidate=True,
        made_at=now,
    )


@transaction.atomic
def flag(*, answer: Answer, by: Invitation, now: datetime) -> None:
    """Say that this answer was heard wrongly. Said again, the first time stays.

    Raises WrongState as `reword`.
    """
    _set_flag(answer, now, now=now)


@transaction.atomic
def take_flag_back(*, answer: Answer, by: Invitation, now: datetime) -> None:
    """Say it no more. Raises WrongState as `reword`."""
    _set_flag(answer, None, now=now)


def _set_flag(answer: Answer, flagged_at: datetime | None, *, now: datetime) -> None:
    locked_transcript(answer)
    _require_open(answer, now)
    others = Answer.objects.filter(pk=answer.pk, flagged_at__isnull=flagged_at is not None)
    if others.update(flagged_at=flagged_at):
        what = "flagged" if flagged_at else "no more flagged"
        logger.info("answer %s: its transcript is %s by the candidate", answer.pk, what)


def _require_open(answer: Answer, now: datetime) -> None:
    sessions = Session.objects.select_related("definition", "invitation__interview__published")
    session = sessions.filter(pk=answer.session_id).first()
    until = links.corrected_until(session) if session else None
    if until is None or until <= now:
        raise WrongState(_("The time to correct what we heard is over."))


def _checked(text: str) -> str:
    """Return a text on one line, without what would make it read otherwise than it is."""
    wanted = " ".join(text.translate(dict.fromkeys(map(ord, DIRECTIONS))).split())
    if not wanted:
        raise BadValue(_("Please write what you said."))
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co") for char in wanted):
        raise BadValue(_("The text holds characters that cannot be saved. Please leave them out."))
    return wanted
