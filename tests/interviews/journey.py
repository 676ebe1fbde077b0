"""Steps of an interview for tests, with the same actions that the platform uses."""

from asgiref.sync import async_to_sync
from django.utils import timezone

from interviews.actions import answers, sessions
from interviews.models import Answer, Session
from tests import redis_connections
from voice.models import Recording
from voice.recordings import buffer, lifecycle


def get_under_way(session: Session) -> None:
    sessions.skip_practice(session=session, by="test", now=timezone.now())


def questions(session: Session) -> list[Answer]:
    rows = session.answers.select_related("session__invitation__interview", "recording")
    return list(rows.filter(kind=Answer.Kind.QUESTION).order_by("position"))


def begin_first_question(session: Session, *, retakes: int = 0) -> Answer:
    get_under_way(session)
    session.answers.filter(position=1).update(retakes_left=retakes)
    answer = questions(session)[0]
    answers.begin(answer=answer, by="test", now=timezone.now())
    return answer


def speak(answer: Answer, pcm: bytes, *, offset: int = 0) -> None:
    async_to_sync(_speak)(answer.recording, pcm, offset)


async def _speak(recording: Recording, pcm: bytes, offset: int) -> None:
    await lifecycle.open_for(recording, writer="test")
    write = await buffer.write(recording.id, writer="test", offset=offset, pcm=pcm)
    assert write.outcome is buffer.Outcome.HELD
    await redis_connections.close_those_of_this_loop()


def held(recording: Recording) -> bytes:
    return buffer.read(recording.id)


def answer_with(answer: Answer, pcm: bytes) -> None:
    """Answer a question completely."""
    answer.session.refresh_from_db()
    if answer.session.status != Session.Status.UNDER_WAY:
        get_under_way(answer.session)
    answers.begin(answer=answer, by="test", now=timezone.now())
    speak(answer, pcm)
    answers.finish(answer=answer, byte_count=len(pcm), by="test", now=timezone.now())
