"""Configuring interviews."""

from django.utils import translation
from django.utils.translation import gettext

from interviews.models import Interview
from voice import speech
from voice.models import Speech


def practice_text(interview: Interview) -> str:
    """The practice question, in the interview's language where we have it."""
    if interview.practice_question:
        return interview.practice_question
    with translation.override(interview.language):
        return gettext("This is for practice: what do you enjoy doing on a free day?")


def request_speech(*, interview: Interview) -> list[Speech]:
    """Have the practice question and every question spoken, so that no candidate waits for a voice.

    Texts that were rendered before, in this voice and language, cost nothing.
    """
    texts = [practice_text(interview), *(q.text for q in interview.questions.all())]
    return [request_question(interview=interview, question_text=question_text) for question_text in texts]


def request_question(*, interview: Interview, question_text: str) -> Speech:
    """The speech row of one question of this interview."""
    return speech.request(spoken_text=question_text, language=interview.language, voice=interview.voice)
