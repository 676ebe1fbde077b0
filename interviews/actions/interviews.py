"""Configuring interviews."""

from collections.abc import Sequence

from interviews.models import Interview
from interviews.texts.practice import PRACTICE
from voice.models import Speech
from voice.speech import rendering
from voice.speech.names import text_name


def practice_text(interview: Interview) -> str:
    """Return the recruiter's practice question, or a standard one in the interview's language."""
    return interview.practice_question or PRACTICE.get(interview.language, PRACTICE["en"])


def request_speech(*, interview: Interview) -> list[Speech]:
    """Request speech for the practice question and every question, so that candidates need not wait for it.

    Texts that are already synthesised in this voice and language cost nothing. A recogniser listens to those
    that none has listened to.
    """
    texts = [practice_text(interview), *(q.text for q in interview.questions.all())]
    rows = request_texts(interview=interview, texts=texts)
    for row in rows:
        if row.status == Speech.Status.READY and row.misheard is None:
            rendering.queue_listening(row.key, tenant=interview.owner)
    return rows


def request_texts(*, interview: Interview, texts: Sequence[str]) -> list[Speech]:
    """Request these texts in the interview's voice. Return their speech rows in order."""
    return rendering.request(
        texts=texts, language=interview.language, voice=interview.voice, tenant=interview.owner
    )


def speech_name(interview: Interview, text: str) -> str:
    """Return the name of the speech of `text` in the interview's voice."""
    return text_name(text, voice=interview.voice, language=interview.language, tenant=interview.owner)
