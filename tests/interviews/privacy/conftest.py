"""A candidate in the middle of an interview, with data in every store."""

from dataclasses import dataclass

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from interviews import jobs
from interviews.actions import answers, erasure, sessions
from interviews.admission import places, tabs
from interviews.models import Answer, Erasure, Session
from tests import factories, redis_connections
from tests.interviews import journey
from voice.workers import storing, transcription

NAME, EMAIL = "Ada Lovelace", "ada@example.org"
OWN_TEXT = "You said that you built an engine. Which one?"


@dataclass
class Candidate:
    """A session with a stored and transcribed answer, one that is being spoken, and a question of its own."""

    session: Session
    ids: list[str]
    words: list[str]

    def erase(self, by: object = "test", **fields: object) -> Erasure:
        return erasure.erase_candidate(
            invitation=self.session.invitation, by=by, now=fields.get("now", timezone.now())
        )


@pytest.fixture
def candidate(make_invitation, clean_redis, fake_recognition):
    """`Candidate` of an interview that other candidates take as well."""
    invitation = make_invitation(candidate_name=NAME, candidate_email=EMAIL)
    session = sessions.start(invitation=invitation, now=timezone.now())
    first = journey.questions(session)[0]
    journey.answer_with(first, factories.tone(0.5))
    transcription.transcribe(str(first.recording_id))
    storing.store(str(first.recording_id))
    second, third = journey.questions(session)[1:]
    answers.begin(answer=second, by="test", now=timezone.now())
    journey.speak(second, factories.tone(0.5))
    own = factories.SpeechFactory(text=OWN_TEXT, ready=True)
    Answer.objects.filter(pk=third.pk).update(question_text=OWN_TEXT, speech_key=own.key)
    async_to_sync(_come_in)(session)
    rows = session.answers.values_list("pk", "recording_id")
    ids = [invitation.pk, session.pk, *(each for row in rows for each in row if each), own.key]
    return Candidate(session, [str(each) for each in ids], [NAME, EMAIL, invitation.token])


async def _come_in(session: Session) -> None:
    await tabs.connect(session.pk, {})
    await places.attend(inside=[session.pk], in_line=[])
    await redis_connections.close_those_of_this_loop()


def run_jobs(row: Erasure, *, now=None) -> None:
    """Run the job of an erasure, as a worker does; with `now` also at that time."""
    jobs.complete_erasure(str(row.pk))
    row.refresh_from_db()
    if now is not None:
        erasure.complete(erasure=row, now=now)
        row.refresh_from_db()
