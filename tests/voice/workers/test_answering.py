"""Work ends when nobody waits for it any more: between sentences, and between stretches of speech."""

import numpy as np
import pytest
from asgiref.sync import async_to_sync, sync_to_async

from tests.factories import tone
from tests.fakes import FakeRecognition, FakeSynthesis
from tests.sounds import encode_wav
from tests.voice.web.rest import recording
from voice.callers import Caller, tenant_of
from voice.infra.threads import in_thread
from voice.models import BatchFile
from voice.queues import answers
from voice.queues.calls import Call
from voice.service import batches, conversion, synthesis, transcription
from voice.service.requests import ConversionRequest, SpeechRequest, TranscriptionRequest
from voice.types import Span, Window
from voice.workers import answering
from voice.workers import transcription as jobs

CALLER = Caller(id="key:1", owner="organisation:7", name="a key")
SENTENCES = "One is here. Two is here. Three is here."


class Windows(FakeRecognition):
    """Hears ten windows of silence; `leave` is called in the second."""

    windows = 0

    def leave(self):
        pass

    def recognize(self, samples, *, on_segments=None, **options):
        for _ in range(10):
            self.windows += 1
            if self.windows == 2:
                self.leave()
            on_segments(())
        return super().recognize(samples, **options)


@pytest.fixture
def windows(engines):
    engines.recognition = Windows()
    return engines.recognition


@sync_to_async
def carry_out(call: Call) -> None:
    answering.answer(answers.claim(call.id))


async def test_recogniser_stops_after_the_window_in_which_the_caller_left(windows):
    wanted = TranscriptionRequest(language="en")
    async with transcription.transcribe(wanted, tone(3), CALLER, is_pcm=True) as call:
        windows.leave = async_to_sync(call.leave)
        await carry_out(call)

    assert windows.windows == 2


async def test_voice_stops_after_the_sentence_in_which_the_caller_left(engines, monkeypatch):
    spoken = engines.synthesis
    speech = await synthesis.synthesize(
        await synthesis.checked(SpeechRequest.checked(text=SENTENCES), CALLER), tenant=tenant_of(CALLER)
    )
    async with speech._submitted() as call:
        made = FakeSynthesis._chunks

        def chunks(engine, sentences, speed):
            for number, chunk in enumerate(made(engine, sentences, speed)):
                if number == 1:
                    async_to_sync(call.leave)()
                yield chunk

        monkeypatch.setattr(FakeSynthesis, "_chunks", chunks)
        await carry_out(call)

    assert spoken.spoken == ["One is here.", "Two is here."]


async def test_conversion_stops_after_the_block_in_which_the_caller_left(monkeypatch, clean_redis):
    monkeypatch.setattr("voice.workers.conversion.LOOK_AFTER_S", 0.0)
    read = []

    def blocks(file, *, rate_hz, tally):
        for number in range(10):
            read.append(number)
            if number == 1:
                async_to_sync(call.leave)()
            yield np.zeros(rate_hz, np.float32)

    monkeypatch.setattr("voice.workers.uploads.decoded_blocks", blocks)
    wanted = ConversionRequest.checked(format="mp3")
    async with conversion.convert(wanted, encode_wav(tone(1)), CALLER) as call:
        await carry_out(call)

    assert read == [0, 1]
    assert clean_redis.keys("voice:call:*") == []


@pytest.mark.django_db(transaction=True)
async def test_recogniser_stops_after_the_window_in_which_the_batch_was_deleted(windows, monkeypatch):
    monkeypatch.setattr(jobs, "LOOK_EVERY_S", 0.0)
    batch = await in_thread(batches.create)(
        owner="organisation:7", request=TranscriptionRequest(language="en"), files=[recording()]
    )
    windows.leave = lambda: batches.delete(batch)
    row = await in_thread(batch.files.get)()

    await in_thread(jobs.transcribe_file)(str(row.pk))

    assert windows.windows == 2
    assert not await in_thread(BatchFile.objects.exists)()


class TakesWindows(FakeRecognition):
    """Remembers the windows that it was given."""

    takes_windows = True
    given = None

    def recognize(self, samples, *, windows=None, **options):
        self.given = windows
        return super().recognize(samples, **options)


@pytest.mark.parametrize(
    ("seconds", "is_utterance", "is_one"), [(3, True, True), (3, False, False), (31, True, False)]
)
async def test_utterance_is_recognised_as_one_window(engines, seconds, is_utterance, is_one):
    engines.recognition = TakesWindows()
    wanted, pcm = TranscriptionRequest(language="en"), tone(seconds)
    async with transcription.transcribe(wanted, pcm, CALLER, is_pcm=True, is_utterance=is_utterance) as call:
        await carry_out(call)
        text = (await call.complete(within_s=60))["text"]

    whole = [Window((Span(0, len(pcm) // 2),))]
    assert text == engines.recognition.says
    assert engines.recognition.given == (whole if is_one else None)
