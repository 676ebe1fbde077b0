"""Accepted synthesis requests, and one synthesis for equal requests."""

import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from tests.fakes import FakeSynthesis
from tests.faults.waiting import wait_for
from voice.callers import Caller
from voice.errors import EngineUnavailable, RequestRefused
from voice.inference import synthesizer
from voice.infra.threads import in_thread
from voice.models import ClonedVoice
from voice.service import synthesis
from voice.service.requests import SpeechRequest
from voice.speech import cache, voices
from voice.types import Voice

pytestmark = pytest.mark.django_db(transaction=True)
CALLER = Caller(id="key:1", owner="organisation:7", name="a key")
STRANGER = Caller(id="key:2", owner="organisation:8", name="another key")


def wanted(text="Good morning.", **fields):
    return SpeechRequest.checked(text=text, **fields)


async def spoken(request, tenant="organisation:7"):
    speech = await synthesis.synthesize(request, tenant=tenant)
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
        await synthesis.checked(wanted(**fields), CALLER)

    assert refused.value.field == field


async def test_language_is_the_voices_own_unless_it_is_said(engines):
    assert (await synthesis.checked(wanted(voice="fake:de-DE"), CALLER)).language == "de-DE"
    assert (await synthesis.checked(wanted(), CALLER)).language == "en"


async def test_cloned_voice_speaks_for_its_owner_only(engines):
    await in_thread(ClonedVoice.objects.create)(
        owner=CALLER.owner,
        name="anna",
        storage_name="voices/a",
        sha256="0",
        duration_ms=4000,
        has_consent=True,
    )

    request = await synthesis.checked(wanted(voice="anna", language="de"), CALLER)
    with pytest.raises(RequestRefused):
        await synthesis.checked(wanted(voice="anna", language="de"), STRANGER)
    with pytest.raises(RequestRefused):
        await synthesis.checked(wanted(voice=request.voice), STRANGER)

    assert request.voice.startswith("chatterbox:de#")
    assert [voice.name for voice in await synthesis.voices_for(STRANGER) if voice.quality == "cloned"] == []
    assert [voice.name for voice in await synthesis.voices_for(CALLER) if voice.quality == "cloned"] == [
        "anna"
    ]


async def test_cloned_voices_of_callers_without_owner_are_nobodys(engines):
    await in_thread(ClonedVoice.objects.create)(
        owner="", name="anna", storage_name="voices/a", sha256="0", duration_ms=4000, has_consent=True
    )
    unknown = Caller(id="address:192.0.2.1", owner="", name="")

    with pytest.raises(RequestRefused):
        await synthesis.checked(wanted(voice="anna"), unknown)
    assert {voice.quality for voice in await synthesis.voices_for(unknown)} == {"last_resort"}


async def test_known_voice_costs_no_thread(engines, monkeypatch):
    await synthesis.checked(wanted(), CALLER)

    def fail(*args):
        raise AssertionError(args)

    monkeypatch.setattr(asyncio, "to_thread", fail)
    monkeypatch.setattr(synthesis, "in_thread", fail)

    assert (await synthesis.checked(wanted(voice="fake:de-DE"), CALLER)).voice == "fake:de-DE"


async def test_voices_are_looked_up_again_after_a_while(engines, monkeypatch):
    await synthesis.checked(wanted(), CALLER)
    monkeypatch.setattr(voices, "known", tuple)
    assert await synthesis.voices_for(CALLER)

    later = time.monotonic() + synthesis.VOICES_KNOWN_FOR_S
    monkeypatch.setattr(synthesis.time, "monotonic", lambda: later)

    assert await synthesis.voices_for(CALLER) == ()


async def test_time_to_the_first_audio_is_counted_by_its_source(worker):
    def counts():
        name = "voice_first_audio_seconds_count"
        return [REGISTRY.get_sample_value(name, {"source": source}) or 0 for source in ("engine", "cache")]

    request = await synthesis.checked(wanted("One sentence. And another."), CALLER)
    before = counts()
    for _ in range(2):
        await spoken(request)

    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 1]


async def test_second_request_is_answered_from_the_cache(worker):
    request = await synthesis.checked(wanted(), CALLER)

    first, made = await spoken(request)
    again, found = await spoken(request)

    assert first == again
    assert (made.is_cached, found.is_cached) == (False, True)
    assert made.result == found.result
    assert len(worker.synthesis.spoken) == 1


async def test_another_tenant_cannot_tell_what_was_synthesised(worker):
    request = await synthesis.checked(wanted(), CALLER)

    await spoken(request)
    _, speech = await spoken(request, "organisation:8")

    assert not speech.is_cached
    assert len(worker.synthesis.spoken) == 2


async def test_two_hundred_requests_at_once_cost_one_synthesis(worker):
    request = await synthesis.checked(wanted(), CALLER)

    answers = await asyncio.gather(*(spoken(request) for _ in range(200)))

    assert len({body for body, _ in answers}) == 1
    assert len(worker.synthesis.spoken) == 1


class Faltering(FakeSynthesis):
    """An engine with a voice of its own, which may be unavailable."""

    name = "faltering"
    is_away = True

    def voices(self):
        return (Voice("faltering:en", "en-US", "Faltering", self.name, "neural", 16_000),)

    def synthesize(self, text, **options):
        if self.is_away:
            raise EngineUnavailable("It is away for a moment.")
        self.spoken.append(text)
        return super().synthesize(text, **options | {"voice": None})


async def test_voice_that_stood_in_for_another_is_not_kept(worker, monkeypatch):
    faltering = Faltering()
    chain = synthesizer.Synthesizer([faltering, worker.synthesis])
    monkeypatch.setattr(synthesizer, "synthesizer", lambda: chain)
    monkeypatch.setattr(voices, "known", chain.voices)
    request = await synthesis.checked(wanted(voice="faltering:en"), CALLER)

    _, stood_in = await spoken(request)
    faltering.is_away = False
    _, again = await spoken(request)

    assert stood_in.result["engine"] == "fake"
    assert again.result["engine"] == "faltering"
    assert not again.is_cached


async def test_next_sentences_are_made_while_the_first_is_played(worker):
    request = wanted(text="One. Two. Three.", language="en")
    speech = await synthesis.synthesize(request, tenant="organisation:7")
    parts = speech.parts()

    await anext(parts)  # whoever plays it does not ask for more yet
    key = synthesis.cache_key(request, "organisation:7")
    await asyncio.to_thread(wait_for, lambda: cache.peek(key), "the last sentence")

    assert worker.synthesis.spoken == ["One.", "Two.", "Three."]
    await parts.aclose()
