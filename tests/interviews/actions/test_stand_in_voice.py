"""All questions of an interview are spoken by one voice, also when that is not the chosen one."""

import pytest

from interviews.actions import interviews
from interviews.models import Answer, Interview
from tests.factories import AnswerFactory, InterviewFactory, SessionFactory
from tests.fakes import FakeSynthesis
from voice.inference import synthesizer
from voice.models import Speech
from voice.queues import pools
from voice.speech import voices
from voice.types import Voice
from voice.workers import attempts, rendering

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

CHOSEN, OTHER = "kokoro:af_heart", "fake:en-US"


@pytest.fixture
def other_pool(monkeypatch, settings):
    """The only worker has another engine than that of the chosen voice; returns it."""
    engine = FakeSynthesis()
    known = (Voice(CHOSEN, "en-US", "Heart", "kokoro", "neural", 24_000), *engine.voices())
    settings.VOICE = {**settings.VOICE, "TTS_ENGINES": ["kokoro", "fake"]}
    monkeypatch.setattr(voices, "known", lambda: known)
    monkeypatch.setattr(synthesizer, "synthesizer", lambda: synthesizer.Synthesizer([engine]))
    return engine


@pytest.fixture
def interview(other_pool) -> Interview:
    return InterviewFactory(questions=3, voice=CHOSEN)


def render(rows):
    """Let the worker do the jobs of these texts."""
    for row in rows:
        try:
            rendering.render_speech(row.key)
        except Exception:  # noqa: BLE001  tried again by the sweeper
            continue


def spoken_by(rows):
    return {row.engine_voice for row in Speech.objects.filter(pk__in=[row.pk for row in rows])}


def exhaust(rows):
    for row in rows:
        Speech.objects.filter(pk=row.pk).update(attempts=attempts.MAX_ATTEMPTS - 1)


def test_voice_that_cannot_speak_now_is_waited_for(interview, other_pool):
    rows = interviews.request_speech(interview=interview)

    render(rows)

    assert spoken_by(rows) == {""}
    assert set(Speech.objects.values_list("status", flat=True)) == {Speech.Status.WAITING}


def test_stand_in_speaks_the_whole_interview(interview):
    rows = interviews.request_speech(interview=interview)
    Speech.objects.filter(pk=rows[1].pk).update(
        status=Speech.Status.READY, storage_name="speech/one.flac", engine_voice=CHOSEN
    )
    exhaust(rows)

    render(rows[2:3])

    interview.refresh_from_db()
    assert (interview.voice, interview.stand_in_voice) == (CHOSEN, OTHER)
    in_other_voice = interviews.request_texts(
        interview, texts=[question.text for question in interview.questions.all()]
    )
    render(in_other_voice)
    assert spoken_by(in_other_voice) == {OTHER}
    assert not {row.pk for row in in_other_voice} & {row.pk for row in rows}


def test_several_questions_that_fail_at_once_change_the_voice_once(interview):
    rows = interviews.request_speech(interview=interview)
    exhaust(rows)

    render(rows)

    assert Interview.objects.get().stand_in_voice == OTHER
    assert set(Speech.objects.filter(voice=CHOSEN).values_list("status", flat=True)) == {Speech.Status.FAILED}
    assert Speech.objects.filter(voice=OTHER).count() == len(rows)


def test_candidate_hears_the_new_voice_only_where_the_first_had_not_spoken(interview):
    rows = interviews.request_speech(interview=interview)[1:]
    session = SessionFactory(invitation__interview=interview, status="under_way")
    for position, row in enumerate(rows, start=1):
        AnswerFactory(session=session, position=position, question_text=row.text, speech_key=row.key)
    Speech.objects.filter(pk=rows[0].pk).update(
        status=Speech.Status.READY, storage_name="speech/one.flac", engine_voice=CHOSEN
    )
    exhaust(rows)

    render(rows[1:])

    interview.refresh_from_db()
    names = list(Answer.objects.order_by("position").values_list("speech_key", flat=True))
    assert names == [rows[0].key, *(interviews.speech_name(interview, row.text) for row in rows[1:])]


@pytest.mark.parametrize(("serves", "expected"), [("tts/kokoro", ""), ("tts/fake", OTHER)])
def test_saving_brings_the_voice_back_once_it_can_speak(interview, clean_redis, serves, expected):
    interview.stand_in_voice = OTHER
    interview.save()
    clean_redis.hset("rq:worker:one", mapping={"birth": "now", "serves": serves})
    clean_redis.sadd("rq:workers:tts", "rq:worker:one")

    interviews.request_speech(interview=interview)

    assert Interview.objects.get().stand_in_voice == expected


def test_text_of_no_interview_is_spoken_by_the_stand_in_itself(other_pool):
    row = Speech.objects.create(key="k" * 64, text="Hello.", language="en", voice=CHOSEN, attempts=4)

    render([row])

    assert spoken_by([row]) == {OTHER}


@pytest.mark.parametrize(
    ("voice", "language", "expected"),
    [
        (CHOSEN, "en", "kokoro"),
        ("", "en", "kokoro"),
        ("", "de", "fake"),
        (CHOSEN, "de", "fake"),
        ("gone:a", "en", "kokoro"),
        ("", "fr", ""),
    ],
)
def test_engine_that_is_meant_to_speak(other_pool, voice, language, expected):
    assert voices.engine_of(voice, language) == expected


def test_engine_that_this_process_does_not_have_speaks_elsewhere(other_pool, settings):
    settings.VOICE = {**settings.VOICE, "TTS_ENGINES": ["kokoro", "chatterbox"]}

    assert voices.engine_of("chatterbox:en", "en") == "chatterbox"
    assert pools.engine("chatterbox") == "tts/chatterbox"
