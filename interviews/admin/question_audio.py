"""A question as candidates hear it: a play button and what may be misheard, or why there is no audio yet."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from interviews.actions.interviews import speech_name, texts_of
from interviews.models import Interview
from voice.infra.backoff import pause_s
from voice.models import Speech
from voice.speech import rendering

FIRST_LOOK_S, LONGEST_LOOK_S, MAX_LOOKS = 2, 30, 12
"""The page polls after 2, 4, 8 … 30 seconds while a question is synthesised, and stops after 12 times."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text in a voice. `row` is None if its speech was never requested."""

    key: str
    row: Speech | None

    @property
    def state(self) -> str:
        """ready, waiting, failed or unknown."""
        return self.row.status if self.row else "unknown"

    @property
    def is_unchecked(self) -> bool:
        """Whether no recogniser has listened to it yet, or none ever will."""
        return self.row is not None and self.row.misheard is None

    @property
    def misheard(self) -> list[str]:
        """The words that may be misheard, as the text spells them."""
        return (self.row.misheard or "").split() if self.row else []

    @property
    def url(self) -> str:
        return rendering.url(self.key)


def keys_of(interview: Interview) -> set[str]:
    """Return the speech keys of everything that its voice says."""
    return {speech_name(interview, text) for text in texts_of(interview)}


def render(interview: Interview, key: str, *, looks: int = 0) -> SafeString:
    """Render the speech of one of the interview's texts; see `render_at`."""
    address = reverse("admin:interviews_interview_speech", args=[interview.pk, key])
    return render_at(address, key, looks=looks)


def render_at(address: str, key: str, *, looks: int = 0) -> SafeString:
    """Render the play button or the state as HTML, which replaces itself while the speech is synthesised.

    address: renders the same again. looks: how often the page has looked already.
    """
    spoken = Spoken(key, Speech.objects.filter(pk=key).first())
    context = {
        "spoken": spoken,
        "look_again_s": _pause_s(looks) if looks < MAX_LOOKS else None,
        "look_again_url": address,
        "looks": looks + 1,
    }
    return render_to_string("admin/interviews/interview/listen.html", context)


def looks_of(request: HttpRequest) -> int:
    """Return how often the page has looked already, as its address says."""
    looks = request.GET.get("looks", "")
    return int(looks) if looks.isdecimal() and len(looks) < 4 else 0


def _pause_s(looks: int) -> float:
    return pause_s(looks + 1, first_s=FIRST_LOOK_S, longest_s=LONGEST_LOOK_S)
