"""`/ws/asr` with real voice activity and the fake recogniser: its messages, and every error."""

import asyncio
import io
import threading
from types import SimpleNamespace

import av
import numpy as np
import pytest

from tests.sounds import resample
from tests.speech import spoken
from tests.voice.sockets.client import Client
from voice.audio.encoding import encode_flac
from voice.audio.pcm import s16le_from_samples
from voice.capacity import shedding
from voice.errors import AudioRejected
from voice.live import transcriber
from voice.queues import calls, jobs

SENTENCE = "I worked on a large project for two years."
FRAME_S = 0.1


@pytest.fixture
async def client(worker):
    return await Client("ws/asr").open()


def speech(pause_s: float = 1.5) -> np.ndarray:
    """float32: a pause, a sentence, a pause."""
    return np.concatenate([np.zeros(8_000, np.float32), spoken(SENTENCE, pause_s=pause_s)])


async def send(client, pcm: bytes, *, frame_bytes: int = 3200) -> None:
    for at in range(0, len(pcm), frame_bytes):
        await client.send(binary=pcm[at : at + frame_bytes])


async def heard(client, pcm: bytes) -> list[dict]:
    """Return all messages of a stream, `done` included."""
    await send(client, pcm)
    await client.say("end")
    return await told_until_done(client)


async def told_until_done(client) -> list[dict]:
    told = []
    while not told or told[-1]["type"] != "done":
        told.append(await client.next())
    return told


def of(told: list[dict], kind: str) -> list[dict]:
    return [message for message in told if message["type"] == kind]


async def test_sentence_is_heard_from_its_start_to_its_final(client, worker):
    samples = speech()
    told = await heard(client, s16le_from_samples(samples))

    kinds = [message["type"] for message in told if message["type"] != "partial"]
    assert kinds == ["speech_start", "speech_end", "final", "done"]
    start, end, final, done = (message for message in told if message["type"] != "partial")
    assert 0.4 < start["timestamp"] < 0.8
    assert start["timestamp"] < end["timestamp"] < len(samples) / 16_000 - 1
    assert (final["start"], final["end"]) == (start["timestamp"], end["timestamp"])
    assert final["text"] == worker.recognition.says
    assert (final["language"], final["confidence"]) == ("en", pytest.approx(0.9))
    assert done["duration"] == pytest.approx(len(samples) / 16_000, abs=0.01)


async def test_words_are_timed_from_the_streams_first_sample(client):
    told = await heard(client, s16le_from_samples(speech()))
    (final,) = of(told, "final")

    words = final["words"]
    assert [set(word) for word in words] == [{"word", "start", "end", "confidence"}] * len(words)
    assert words[0]["start"] == pytest.approx(final["start"] - 0.3, abs=0.01)  # the fake's words start at 0
    assert words[-1]["end"] == pytest.approx(final["end"] + 0.2, abs=0.01)
    assert final["segments"][0]["avg_logprob"] == -0.1
    assert "words" not in final["segments"][0]


async def test_partials_come_while_somebody_speaks(client, worker):
    pcm = s16le_from_samples(speech())
    await send(client, pcm[:64_000])  # ends in the middle of the sentence
    partial = await client.until("partial")

    assert partial["text"] == worker.recognition.says
    assert 0 < partial["confidence"] <= 1
    assert 1 < partial["timestamp"] <= 2
    assert any(heard.is_partial for heard in worker.recognition.heard)


async def test_no_partials_where_none_are_wanted(client, worker):
    await client.say("config", interim=False)
    told = await heard(client, s16le_from_samples(speech()))

    assert not of(told, "partial")
    assert not any(heard.is_partial for heard in worker.recognition.heard)


async def test_no_partials_while_their_queue_is_full(client, worker, settings):
    settings.PARTIAL_QUEUE_LIMIT = 0
    told = await heard(client, s16le_from_samples(speech()))

    assert not of(told, "partial")
    assert len(of(told, "final")) == 1


async def test_no_partials_while_captions_are_off_under_load(client, worker, monkeypatch):
    monkeypatch.setattr(shedding, "is_off", lambda step: step is shedding.Step.CAPTIONS)
    told = await heard(client, s16le_from_samples(speech()))

    assert not of(told, "partial")
    assert len(of(told, "final")) == 1


async def test_two_sentences_are_two_finals_in_order(client):
    pcm = s16le_from_samples(np.concatenate([speech(), speech()]))
    told = await heard(client, pcm)

    finals = of(told, "final")
    assert len(finals) == 2
    assert finals[0]["end"] < finals[1]["start"]
    starts_and_ends = [m["type"] for m in told if m["type"].startswith("speech")]
    assert starts_and_ends == ["speech_start", "speech_end"] * 2


async def test_finals_are_in_order_though_the_second_is_recognised_first(client, worker):
    may_go_on = threading.Event()
    recognize, calls = worker.recognition.recognize, []

    def wait(samples, **options):
        calls.append(options)
        if not options["is_partial"] and len([c for c in calls if not c["is_partial"]]) == 1:
            assert may_go_on.wait(120)
        else:
            may_go_on.set()
        return recognize(samples, **options)

    worker.recognition.recognize = wait
    await client.say("config", interim=False)
    pcm = s16le_from_samples(np.concatenate([speech(), speech()]))
    finals = of(await heard(client, pcm), "final")

    assert [f["start"] for f in finals] == sorted(f["start"] for f in finals)
    assert len(finals) == 2


async def test_end_finalises_without_waiting_for_a_pause(client):
    samples = speech(pause_s=0.0)
    told = await heard(client, s16le_from_samples(samples))

    (final,) = of(told, "final")
    assert final["end"] == pytest.approx(len(samples) / 16_000, abs=0.3)


async def test_end_of_silence_is_only_done(client, worker):
    told = await heard(client, bytes(64_000))

    assert [m["type"] for m in told] == ["done"]
    assert told[0]["duration"] == 2.0
    assert worker.recognition.heard == []


async def test_stream_goes_on_after_an_end(client):
    pcm = s16le_from_samples(speech())
    first = of(await heard(client, pcm), "final")[0]
    second = of(await heard(client, pcm), "final")[0]

    assert second["start"] - first["start"] == pytest.approx(len(pcm) / 32_000, abs=0.05)


# Guessing the end


async def test_final_is_begun_at_the_pause_and_made_once(client, worker):
    await client.say("config", interim=False)
    pcm = s16le_from_samples(speech(pause_s=0.0))
    await send(client, pcm + bytes(int(0.45 * 32_000)))
    await recognised(worker, 1)  # the end of the utterance is not confirmed yet
    await send(client, bytes(32_000))
    final = await client.until("final")

    assert final["text"]
    assert len(worker.recognition.heard) == 1


async def recognised(worker, count: int) -> None:
    deadline = asyncio.get_running_loop().time() + 120
    while len(worker.recognition.heard) < count:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


async def test_guess_is_dropped_when_speech_goes_on(client, worker):
    await client.say("config", interim=False)
    said = spoken(SENTENCE)
    pause = np.zeros(int(0.45 * 16_000), np.float32)
    await send(client, s16le_from_samples(np.concatenate([said, pause])))
    await recognised(worker, 1)
    told = await heard(client, s16le_from_samples(np.concatenate([said, np.zeros(16_000, np.float32)])))

    (final,) = of(told, "final")
    assert final["end"] > 2 * len(said) / 16_000
    assert worker.recognition.heard[-1].duration_s > 2 * len(said) / 16_000


async def test_nothing_is_guessed_while_the_workers_are_busy(client, worker, monkeypatch):
    asked = []

    async def are_busy(*queue_names):
        asked.append(queue_names)
        return False

    monkeypatch.setattr(jobs, "has_spare_workers", are_busy)
    await client.say("config", interim=False)
    await send(client, s16le_from_samples(speech(pause_s=0.0)) + bytes(int(0.45 * 32_000)))
    await client.still_answers()
    assert worker.recognition.heard == []
    await send(client, bytes(32_000))
    await client.until("final")

    assert asked == [("stt", "stt-call")]
    assert len(worker.recognition.heard) == 1


# Formats


async def test_float32_is_heard_as_int16_is(client):
    await client.say("config", encoding="float32", interim=False)
    assert (await client.until("configured"))["encoding"] == "float32"
    told = await heard(client, speech().astype("<f4").tobytes())

    assert [m["type"] for m in told] == ["speech_start", "speech_end", "final", "done"]


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
async def test_other_sample_rates_are_converted(client, rate_hz):
    samples = resample(speech(), 16_000, rate_hz)
    await client.say("config", sample_rate=rate_hz)
    told = await heard(client, s16le_from_samples(samples))

    (final,) = of(told, "final")
    assert 0.4 < final["start"] < 0.8
    assert told[-1]["duration"] == pytest.approx(len(samples) / rate_hz, abs=0.02)


@pytest.mark.parametrize(("encoding", "frame_bytes"), [("int16", 1601), ("float32", 3203), ("int16", 1)])
async def test_samples_may_be_cut_anywhere(client, encoding, frame_bytes):
    samples = speech() if frame_bytes > 1 else speech()[:100]
    pcm = samples.astype("<f4").tobytes() if encoding == "float32" else s16le_from_samples(samples)
    await client.say("config", encoding=encoding, interim=False)
    await send(client, pcm, frame_bytes=frame_bytes)
    await client.say("end")
    told = await told_until_done(client)

    assert len(of(told, "final")) == (1 if frame_bytes > 1 else 0)
    assert told[-1]["duration"] == pytest.approx(len(samples) / 16_000, abs=0.001)


def container(name: str, codec: str, **options: str) -> bytes:
    """The sentence as a recorder writes it that cannot go back to the header."""
    samples, written = s16le_from_samples(resample(speech(), 16_000, 48_000)), bytearray()
    sink = SimpleNamespace(write=lambda piece: (written.extend(piece), len(piece))[1])
    with av.open(sink, "w", format=name, options=options) as output:
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.frombuffer(samples, "<i2")[None], "s16", "mono")
        frame.sample_rate = 48_000
        output.mux([*stream.encode(frame), *stream.encode(None)])
    return bytes(written)


FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "100000"}
CONTAINERS = {
    "WebM of MediaRecorder": lambda: container("webm", "libopus", live="1", cluster_time_limit="100"),
    "MP4 of MediaRecorder": lambda: container("mp4", "aac", **FRAGMENTED),
    "Ogg": lambda: container("ogg", "libopus", page_duration="20000"),
    "MP3": lambda: container("mp3", "libmp3lame", id3v2_version="0"),
    "FLAC": lambda: container("flac", "flac"),
    "WAV": lambda: container("wav", "pcm_s16le"),
}


@pytest.mark.parametrize("name", CONTAINERS)
async def test_container_is_decoded_while_it_arrives(client, name):
    file = CONTAINERS[name]()
    await client.say("config", interim=False)
    await client.until("configured")
    await send(client, file, frame_bytes=max(1001, len(file) // 40))
    await client.say("end")
    told = await told_until_done(client)

    assert [m["type"] for m in told] == ["speech_start", "speech_end", "final", "done"]
    assert told[-1]["duration"] == pytest.approx(len(speech()) / 16_000, abs=0.15)


async def test_container_is_heard_before_it_ends(client):
    file = CONTAINERS["WebM of MediaRecorder"]()
    await client.say("config", interim=False)
    await send(client, file[: len(file) // 2], frame_bytes=500)

    assert (await client.until("speech_start"))["timestamp"] < 0.8
    await client.close()  # ends the decoder
    assert not [thread for thread in threading.enumerate() if thread.name == "live-decoding"]


async def test_container_that_cannot_be_streamed_is_refused_by_name(client):
    whole = io.BytesIO()  # its index is at the end
    with av.open(whole, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=16_000, layout="mono")
        output.mux([*stream.encode(silent_frame()), *stream.encode(None)])
    await client.say("config", interim=False)
    await send(client, whole.getvalue(), frame_bytes=1000)
    await client.say("end")
    told = await told_until_done(client)

    (error,) = of(told, "error")
    assert error["code"] == "audio_rejected"
    assert "This MP4 cannot be read while it arrives" in error["detail"]
    assert len(of(await heard(client, s16le_from_samples(speech())), "final")) == 1  # then PCM may come


async def test_bytes_that_stand_for_hours_are_refused(client, settings):
    settings.VOICE = settings.VOICE | {"MAX_AUDIO_S": 30.0}
    await client.say("config", interim=False)
    await client.send(binary=encode_flac(bytes(16_000 * 2 * 120)))

    error = await client.until_error()
    assert (error["code"], "30 s ahead of time" in error["detail"]) == ("audio_rejected", True)


def silent_frame() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 32_000), "<i2"), "s16", "mono")
    frame.sample_rate = 16_000
    return frame


async def test_language_and_hot_words_reach_the_recogniser(client, worker):
    await client.say("config", language="de", hot_words="Kubernetes", model="large-v3", interim=False)
    final = of(await heard(client, s16le_from_samples(speech())), "final")[0]

    (call,) = worker.recognition.heard
    assert (call.language, call.hot_words) == ("de", "Kubernetes")
    assert (final["language"], final["language_probability"]) == ("de", 1.0)


async def test_silence_that_ends_an_utterance_may_be_chosen(client):
    await client.say("config", silence_ms=2500, interim=False)
    pcm = s16le_from_samples(np.concatenate([speech(pause_s=1.0), speech(pause_s=3.0)]))

    assert len(of(await heard(client, pcm), "final")) == 1


async def test_config_changes_only_what_it_names(client):
    await client.say("config", language="de", silence_ms=800)
    await client.until("configured")
    await client.say("config", interim=False)
    configured = await client.until("configured")

    assert configured == {
        "type": "configured",
        "sample_rate": 16_000,
        "encoding": "int16",
        "language": "de",
        "interim": False,
        "silence_ms": 800,
    }


# Mistakes


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sample_rate": 100}, "sample_rate"),
        ({"sample_rate": 192_000}, "sample_rate"),
        ({"sample_rate": "16000"}, "sample_rate"),
        ({"sample_rate": 16_000.5}, "sample_rate"),
        ({"encoding": "mp3"}, "encoding"),
        ({"encoding": None}, "encoding"),
        ({"encoding": []}, "encoding"),
        ({"language": 7}, "language"),
        ({"language": "not a language"}, "language"),
        ({"interim": "yes"}, "interim"),
        ({"hot_words": "x" * 1001}, "hot_words"),
        ({"hot_words": {}}, "hot_words"),
        ({"silence_ms": 10}, "silence_ms"),
        ({"silence_ms": 10_000}, "silence_ms"),
        ({"model": 5}, "model"),
        ({"model": "m" * 101}, "model"),
    ],
)
async def test_bad_config_is_refused_by_field_and_the_old_one_holds(client, fields, field):
    await client.say("config", language="de", interim=False)
    await client.until("configured")
    error = await client.error("config", **{"language": "en", **fields})

    assert (error["code"], error["field"]) == ("bad_value", field)
    await client.say("config")
    configured = await client.until("configured")
    assert (configured["language"], configured["sample_rate"]) == ("de", 16_000)


@pytest.mark.parametrize(
    ("encoding", "frame"),
    [
        ("float32", np.full(800, np.nan, "<f4").tobytes()),
        ("float32", np.full(800, np.inf, "<f4").tobytes()),
        ("float32", np.full(800, 12_000, "<f4").tobytes()),
    ],
)
async def test_frame_that_is_no_audio_is_dropped_and_the_stream_goes_on(client, encoding, frame):
    await client.say("config", encoding=encoding, interim=False)
    await client.until("configured")
    await client.send(binary=frame)
    error = await client.until_error()
    assert error["code"] == "audio_rejected"

    samples = speech()
    pcm = samples.astype("<f4").tobytes() if encoding == "float32" else s16le_from_samples(samples)
    told = await heard(client, pcm)
    assert len(of(told, "final")) == 1
    assert told[-1]["duration"] == pytest.approx(len(samples) / 16_000, abs=0.01)  # without the bad frame


async def test_utterance_that_cannot_be_recognised_is_told_in_its_place(client, worker):
    recognize = worker.recognition.recognize

    def fail_first(samples, **options):
        worker.recognition.recognize = recognize
        raise AudioRejected("The audio is broken.")

    worker.recognition.recognize = fail_first
    await client.say("config", interim=False)
    pcm = s16le_from_samples(speech(pause_s=0.0))
    first = [m for m in await heard(client, pcm) if not m["type"].startswith(("speech", "conf"))]
    second = await heard(client, pcm)

    assert [m["type"] for m in first] == ["error", "done"]
    assert first[0]["code"] == "audio_rejected"
    assert 0 < first[0]["start"] < first[0]["end"]
    assert len(of(second, "final")) == 1


async def test_language_that_nobody_hears_is_told_with_each_utterance(client):
    await client.say("config", language="fr")
    told = await heard(client, s16le_from_samples(speech()))

    assert [m["code"] for m in of(told, "error")] == ["language_unsupported"]


async def test_full_queue_costs_a_final_time_but_not_its_text(client, worker, settings, monkeypatch):
    monkeypatch.setattr(calls, "BUSY_RETRY_S", 0.01)
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 0}
    await client.say("config", interim=False)
    await send(client, s16le_from_samples(speech(pause_s=0.0)))
    await client.say("end")
    await client.until("speech_end")
    assert await client.socket.receive_nothing()

    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 200}
    assert (await client.until("final"))["text"]


async def test_only_so_many_finals_are_under_way(client, worker):
    may_go_on, lock, under_way = threading.Event(), threading.Lock(), []
    recognize = worker.recognition.recognize

    def wait(samples, **options):
        with lock:
            under_way.append(1)
        assert may_go_on.wait(120)
        return recognize(samples, **options)

    worker.recognition.recognize = wait
    await client.say("config", interim=False)
    pcm = s16le_from_samples(np.concatenate([speech(pause_s=1.0)] * 6))
    await send(client, pcm, frame_bytes=64_000)
    for _ in range(transcriber.FINALS_UNDER_WAY + 1):  # the next one has to wait
        await client.until("speech_end")
    assert await client.socket.receive_nothing()

    may_go_on.set()
    await client.say("end")
    told = await told_until_done(client)
    assert len(of(told, "final")) == 6


async def test_client_that_leaves_lets_the_work_be_dropped(client, worker, clean_redis):
    may_go_on = threading.Event()
    recognize = worker.recognition.recognize

    def wait(samples, **options):
        assert may_go_on.wait(120)
        return recognize(samples, **options)

    worker.recognition.recognize = wait
    await send(client, s16le_from_samples(speech()))
    await client.until("speech_end")
    await client.close()

    assert not clean_redis.keys("voice:call:*")
    may_go_on.set()


async def test_no_final_waits_for_captions(client, worker, monkeypatch):
    asked = []
    submitted = calls.submitted

    def noted(queue_name, request, **options):
        asked.append((queue_name, request["transcription"]["is_partial"]))
        return submitted(queue_name, request, **options)

    monkeypatch.setattr(calls, "submitted", noted)
    await heard(client, s16le_from_samples(speech()))

    assert ("stt-call", False) in asked
    assert {name for name, is_partial in asked if is_partial} <= {"stt-call-partial"}
