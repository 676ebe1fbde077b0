"""Which requests for speech are taken, and that the same is spoken once."""

import asyncio

import pytest

from voice import speaking
from voice.callers import Caller
from voice.engines.base import RequestRefused
from voice.models import ClonedVoice
from voice.requests import SpeechRequest
from voice.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)
CALLER = Caller(id="key:1", owner="organisation:7", name="a key")
STRANGER = Caller(id="key:2", owner="organisation:8", name="another key")


def wanted(text="Good morning.", **fields):
    return SpeechRequest.checked(text=text, **fields)


async def spoken(request):
    speech = await speaking.speak(request)
    return b"".join([part.body async for part in speech.parts()]), speech


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"voice": "piper:nobody"}, "voice"),
        ({"language": "tlh"}, "language"),
        ({"voice": "fake:en-US", "language": "de"}, "language"),
        ({"text": "Доброе утро", "language": "en"}, "text"),
        ({"text": "<speak>Good <break time='1s'/> morning</speak>"}, "text"),
    ],
)
async def test_request_that_nobody_could_speak_is_refused(engines, fields, field):
    with pytest.raises(RequestRefused) as refused:
        await speaking.checked(wanted(**fields), CALLER)

    assert refused.value.field == field


async def test_language_is_the_voices_own_unless_it_is_said(engines):
    assert (await speaking.checked(wanted(voice="fake:de-DE"), CALLER)).language == "de-DE"
    assert (await speaking.checked(wanted(), CALLER)).language == "en"


async def test_cloned_voice_speaks_for_its_owner_only(engines):
    await in_thread(ClonedVoice.objects.create)(
        owner=CALLER.owner,
        name="anna",
        storage_name="voices/a",
        sha256="0",
        duration_ms=4000,
        has_consent=True,
    )

    request = await speaking.checked(wanted(voice="anna", language="de"), CALLER)
    with pytest.raises(RequestRefused):
        await speaking.checked(wanted(voice="anna", language="de"), STRANGER)
    with pytest.raises(RequestRefused):
        await speaking.checked(wanted(voice=request.voice), STRANGER)

    assert request.voice.startswith("chatterbox:de#")
    assert [voice.name for voice in await speaking.voices_for(STRANGER) if voice.quality == "cloned"] == []
    assert [voice.name for voice in await speaking.voices_for(CALLER) if voice.quality == "cloned"] == [
        "anna"
    ]


async def test_second_request_is_answered_from_the_cache(worker):
    request = await speaking.checked(wanted(), CALLER)

    first, made = await spoken(request)
    again, found = await spoken(request)

    assert first == again
    assert (made.is_cached, found.is_cached) == (False, True)
    assert made.result == found.result
    assert len(worker.synthesis.spoken) == 1


async def test_two_hundred_requests_at_once_cost_one_synthesis(worker):
    request = await speaking.checked(wanted(), CALLER)

    answers = await asyncio.gather(*(spoken(request) for _ in range(200)))

    assert len({body for body, _ in answers}) == 1
    assert len(worker.synthesis.spoken) == 1
