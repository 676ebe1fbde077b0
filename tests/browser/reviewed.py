"""Candidates to be reviewed, made in the database of a running system by a process of that system."""

import json
from datetime import timedelta

from django.utils import timezone

from accounts.models import Organisation
from interviews.management.commands.load_demo import SLUG
from tests import factories

FIRST = "I built a small service that reads in voices and checks them for mistakes"
SECOND = "Next time I would ask the people who use it"
PAUSE_S, LONG_S = 4.0, 120.0


def make() -> None:
    """Print the ids of the sessions, the newest first: ada has three answers, bob none, cleo one."""
    organisation = Organisation.objects.get(slug=SLUG)
    interview = factories.InterviewFactory(organisation=organisation, title="Reviewed", questions=3)
    now = timezone.now()
    made = {
        name: factories.SessionFactory(
            finished=True,
            invitation__interview=interview,
            invitation__candidate_name=name.capitalize(),
            consented_at=now - timedelta(hours=hours),
        )
        for hours, name in enumerate(("ada", "bob", "cleo"))
    }
    _answer(made["ada"], 1, FIRST, 6.0)
    _answer(made["ada"], 2, SECOND, 9.0, after_s=PAUSE_S, confidence=0.6)
    factories.AnswerFactory(
        session=made["ada"], position=3, status="accepted", typed_text="I write.", completed_at=now
    )
    _answer(made["cleo"], 1, FIRST, 6.0 + LONG_S, after_s=LONG_S)
    print(json.dumps({name: str(session.pk) for name, session in made.items()}))


def _answer(session, position: int, text: str, seconds: float, after_s: float = 0.0, **transcript) -> None:
    """An answer whose words begin after some seconds of silence."""
    segments = factories.segments_of(text)
    for word in segments[0]["words"]:
        word["start"], word["end"] = word["start"] + after_s, word["end"] + after_s
    factories.AnswerFactory(
        session=session,
        position=position,
        accepted=True,
        recording__pcm=bytes(round(after_s * 32_000)) + factories.tone(seconds - after_s),
        transcript=text,
        transcript__segments=segments,
        **{f"transcript__{name}": value for name, value in transcript.items()},
    )
