"""Hearing a question as candidates will: a play button, or why there is none yet."""

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from interviews.actions.interviews import practice_text
from interviews.models import Interview
from voice.infra.backoff import pause_s
from voice.models import Speech
from voice.speech import rendering
from voice.text import normalisation

FIRST_LOOK_S, LONGEST_LOOK_S, MAX_LOOKS = 2, 30, 12
"""A question being prepared is looked at again after 2, 4, 8 … 30 seconds, and after twelve looks no more."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text of an interview in its voice. `row` is None when it was never asked for."""

    interview: Interview
    key: str
    row: Speech | None

    @property
    def state(self) -> str:
        """ready, waiting, failed or unknown."""
        return self.row.status if self.row else "unknown"

    @property
    def url(self) -> str:
        return rendering.url(self.key)


def key_of(interview: Interview, spoken_text: str) -> str:
    """Under which the text is kept in the interview's voice and language."""
    return normalisation.speech_key(normalisation.normalise(spoken_text), interview.voice, interview.language)


def keys_of(interview: Interview) -> set[str]:
    """Of everything the interview says: the practice question and the questions."""
    texts = [practice_text(interview), *interview.questions.values_list("text", flat=True)]
    return {key_of(interview, spoken_text) for spoken_text in texts}


def render(interview: Interview, key: str, *, looks: int = 0) -> SafeString:
    """The play button or the state, as HTML; it replaces itself while the speech is being prepared."""
    spoken = Spoken(interview, key, Speech.objects.filter(pk=key).first())
    context = {
        "spoken": spoken,
        "look_again_s": _pause_s(looks) if looks < MAX_LOOKS else None,
        "look_again_url": reverse("admin:interviews_interview_speech", args=[interview.pk, key]),
        "looks": looks + 1,
    }
    return render_to_string("admin/interviews/interview/listen.html", context)


def _pause_s(looks: int) -> float:
    return pause_s(looks + 1, first_s=FIRST_LOOK_S, longest_s=LONGEST_LOOK_S)
