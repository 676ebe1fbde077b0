"""Configuring interviews."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from interviews import states
from interviews.models import Answer, Interview
from interviews.texts.practice import PRACTICE
from voice.models import Speech
from voice.speech import rendering, voices
from voice.speech.names import text_name


def practice_text(interview: Interview) -> str:
    """Return the recruiter's practice question, or a standard one in the interview's language."""
    return interview.practice_question or PRACTICE.get(interview.language, PRACTICE["en"])


def request_speech(*, interview: Interview) -> list[Speech]:
    """Request speech for the practice question and every question, so that candidates need not wait for it.

    Texts that are already synthesised in this voice and language cost nothing. A voice that could not speak
    speaks again from now on, if it can. A recogniser listens to those that none has listened to.
    """
    if interview.stand_in_voice and voices.is_spoken(interview.voice, interview.language):
        interview.stand_in_voice = ""
        interview.save(update_fields=["stand_in_voice"])
    rows = request_texts(interview=interview, texts=_texts(interview))
    for row in rows:
        if row.status == Speech.Status.READY and row.misheard is None:
            rendering.queue_listening(row.key, tenant=interview.owner)
    return rows


def request_texts(*, interview: Interview, texts: Sequence[str]) -> list[Speech]:
    """Request these texts in the interview's voice. Return their speech rows in order."""
    return rendering.request(
        texts=texts, language=interview.language, voice=interview.spoken_voice, tenant=interview.owner
    )


def speech_name(interview: Interview, text: str) -> str:
    """Return the name of the speech of `text` in the interview's voice."""
    return text_name(text, voice=interview.spoken_voice, language=interview.language, tenant=interview.owner)


def let_stand_in(*, speech: Speech, voice: str) -> bool:
    """Let `voice` speak the interviews that this text belongs to, as their own voice cannot.

    An interview is spoken by one voice: all its texts are requested in the new one. Candidates who are at it
    hear the new voice only in questions that the first could not speak. Returns whether there is such an
    interview, also where its voice was changed for another text.
    """
    had_voice = Q(stand_in_voice=speech.voice) | Q(voice=speech.voice)
    found = Interview.objects.filter(had_voice, language=speech.language).prefetch_related("questions")
    spoken = [interview for interview in found if speech.key in _texts_by_name(interview, speech.voice)]
    for interview in spoken:
        _change_voice(interview, before=speech.voice, after=voice)
    return bool(spoken)


@transaction.atomic
def _change_voice(interview: Interview, *, before: str, after: str) -> None:
    interview = Interview.objects.select_for_update().get(pk=interview.pk)
    if interview.spoken_voice != before:
        return
    texts = _texts_by_name(interview, before)
    interview.stand_in_voice = after
    interview.save(update_fields=["stand_in_voice"])
    request_texts(interview=interview, texts=list(texts.values()))
    spoken = Speech.objects.filter(pk__in=texts, status=Speech.Status.READY).values_list("pk", flat=True)
    asked = Answer.objects.filter(
        session__invitation__interview=interview, session__status__in=states.OPEN_SESSION_STATUSES
    )
    for name in texts.keys() - set(spoken):
        asked.filter(speech_key=name).update(speech_key=speech_name(interview, texts[name]))


def _texts_by_name(interview: Interview, voice: str) -> dict[str, str]:
    """Return the texts of an interview by their names in a voice."""
    about = {"voice": voice, "language": interview.language, "tenant": interview.owner}
    return {text_name(text, **about): text for text in _texts(interview)}


def _texts(interview: Interview) -> list[str]:
    return [practice_text(interview), *(question.text for question in interview.questions.all())]
