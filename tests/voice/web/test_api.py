"""The speech service's REST API as other systems use it: real queues, a worker with fake engines."""

import asyncio
import json

import pytest
import redis
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from tests import factories
from tests.sounds import encode_wav, stated_seconds
from tests.voice.web.rest import body_of, recording, seconds_of
from voice.audio.decoding import decode
from voice.audio.encoding import encode_flac
from voice.audio.pcm import samples_from_s16le
from voice.audio.processing import loudness_dbfs
from voice.errors import CallFailed, EngineUnavailable
from voice.models import ClonedVoice
from voice.queues import calls
from voice.web import responses
from voice.workers import answering

V1 = "/api/v1/voice"
TEXT = "Good morning. Tell me about your last project."


@pytest.fixture
def interviews_key(transactional_db):
    return factories.ApiKeyFactory()


@pytest.fixture
async def signed_in(transactional_db):
    """A client with the session of a member of an organisation."""
    client = AsyncClient(enforce_csrf_checks=True)
    membership = await sync_to_async(factories.MembershipFactory)()
    await client.aforce_login(membership.user)
    return client


async def post(api, path, body):
    return await api.post(f"{V1}{path}", data=json.dumps(body), content_type="application/json")


# Conversion


@pytest.mark.parametrize("file_format", ["wav", "mp3", "opus", "flac", "aac"])
async def test_file_is_made_even_and_converted(api, worker, file_format):
    fields = {"format": file_format, "loudness": "-30"}
    response = await api.post(f"{V1}/convert", {"file": recording(2.0), **fields})

    assert response.status_code == 200
    assert json.loads(response["X-Source"])["container"] == "wav"
    body = await body_of(response)
    assert (response["Content-Length"], response["X-Duration-Ms"]) == (str(len(body)), "2000")
    assert seconds_of(body) == pytest.approx(2.0, abs=0.15)
    if file_format != "aac":  # ADTS has no place for it
        assert stated_seconds(body) == pytest.approx(2.0, abs=0.15)
    assert loudness_dbfs(decode(body), 16_000) == pytest.approx(-30, abs=1.5)


async def test_level_and_length_are_left_alone_when_asked_for(api, worker):
    pcm = factories.tone(1.0)
    file = SimpleUploadedFile("quiet.wav", encode_wav(pcm))
    fields = {"format": "pcm", "sample_rate": 16000, "keep_level": "true"}

    assert await body_of(await api.post(f"{V1}/convert", {"file": file, **fields})) == pcm


async def test_silence_is_cut_at_both_ends(api, worker):
    file = SimpleUploadedFile("pause.wav", encode_wav(bytes(64_000) + factories.tone(1.0) + bytes(64_000)))
    response = await api.post(f"{V1}/convert", {"file": file, "format": "wav", "trim": "true"})

    assert seconds_of(await body_of(response)) == pytest.approx(1.2, abs=0.2)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"format": "exe"}, "format"), ({"sample_rate": 1}, "sample_rate"), ({"loudness": "-3"}, "loudness")],
)
async def test_bad_conversion_option_names_the_field(api, engines, fields, field):
    response = await api.post(f"{V1}/convert", {"file": recording(), **fields})

    assert (response.status_code, response.json()["field"]) == (422, field)


async def test_file_that_is_no_audio_is_not_converted(api, worker):
    response = await api.post(f"{V1}/convert", {"file": SimpleUploadedFile("a.wav", b"no audio at all" * 9)})

    assert (response.status_code, response.json()["code"]) == (422, "audio_rejected")


async def test_silence_of_which_trimming_leaves_nothing_is_refused_by_name(api, worker):
    file = SimpleUploadedFile("silence.wav", encode_wav(bytes(32_000)))
    response = await api.post(f"{V1}/convert", {"file": file, "trim": "true"})

    assert response.status_code == 422
    assert "trim leaves nothing" in response.json()["detail"]


@pytest.mark.parametrize(
    ("limits", "status", "said"),
    [
        ({"MAX_CONVERTED_MB": 0}, 413, "format: the new file has over 0 MB; choose mp3"),
        ({"MAX_AUDIO_S": 1.0}, 422, "lasts over 1 s"),
    ],
)
async def test_conversion_over_a_limit_is_refused_by_name(api, worker, settings, limits, status, said):
    settings.VOICE = settings.VOICE | limits
    response = await api.post(f"{V1}/convert", {"file": recording(2.0), "format": "wav"})

    assert response.status_code == status
    assert said in response.json()["detail"]


async def test_conversions_wait_in_a_queue_of_their_own(api, engines, queued, settings):
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 1}
    asking = asyncio.create_task(api.post(f"{V1}/convert", {"file": recording()}))
    async with asyncio.timeout(120):
        while not queued("audio"):  # noqa: ASYNC110  Redis sends no event
            await asyncio.sleep(0.01)
    asking.cancel()

    assert queued("default") == []


# Speech


async def test_text_is_spoken_and_streamed(api, worker):
    response = await post(api, "/synthesize", {"text": TEXT, "format": "wav"})
    assert (response.status_code, response.streaming) == (200, True)
    assert response["Content-Type"] == "audio/wav"
    assert (response["X-Cached"], response["X-Voice"]) == ("false", "fake:en-US")
    assert seconds_of(await body_of(response)) == pytest.approx(len(TEXT) * 0.05, abs=0.1)
    assert worker.synthesis.spoken == ["Good morning.", "Tell me about your last project."]


async def test_same_text_comes_from_the_cache_without_a_worker(api, worker):
    first = await body_of(await post(api, "/synthesize", {"text": TEXT}))
    worker.synthesis.spoken.clear()
    response = await post(api, "/synthesize", {"text": f"  {TEXT}\n"})
    assert (response["X-Cached"], response["X-Voice"]) == ("true", "fake:en-US")
    assert int(response["X-Duration-Ms"]) == pytest.approx(len(TEXT) * 50, abs=100)
    assert seconds_of(response.content) == pytest.approx(seconds_of(first), abs=0.1)
    assert worker.synthesis.spoken == []


@pytest.mark.parametrize(
    ("file_format", "media_type"),
    [
        ("wav", "audio/wav"),
        ("mp3", "audio/mpeg"),
        ("opus", "audio/ogg"),
        ("flac", "audio/flac"),
        ("aac", "audio/aac"),
    ],
)
async def test_every_format_decodes_to_the_whole_speech(api, worker, file_format, media_type):
    response = await post(api, "/synthesize", {"text": TEXT, "format": file_format})
    assert response["Content-Type"] == media_type
    assert seconds_of(await body_of(response)) == pytest.approx(len(TEXT) * 0.05, abs=0.15)

    again = await post(api, "/synthesize", {"text": TEXT, "format": file_format})
    assert again["X-Cached"] == "true"
    assert seconds_of(again.content) == pytest.approx(len(TEXT) * 0.05, abs=0.15)
    if file_format != "aac":  # ADTS has no place for it
        assert stated_seconds(again.content) == pytest.approx(len(TEXT) * 0.05, abs=0.15)


async def test_two_hundred_requests_at_once_cost_one_synthesis(api, worker, settings):
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 1}

    async def ask():
        return await body_of(await post(api, "/synthesize", {"text": TEXT, "format": "wav"}))

    bodies = await asyncio.gather(*(ask() for _ in range(200)))
    assert worker.synthesis.spoken == ["Good morning.", "Tell me about your last project."]
    assert len({body[44:] for body in bodies}) == 1  # streams and complete files differ in the header


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"text": ""}, "text", "at least one word"),
        ({"text": " \u200b\x00 "}, "text", "at least one word"),
        ({"text": "a" * 5001}, "text", "at most 5000"),
        ({"text": "a" * 1_000_000}, "text", "at most 5000"),
        ({"text": 7}, "text", "string"),
        ({}, "text", "required"),
        ({"text": "Hi", "voice": "fake:xx"}, "voice", "no such voice"),
        ({"text": "Hi", "language": "Klingon!"}, "language", "language code"),
        ({"text": "Hi", "language": "tlh"}, "language", "no voice speaks tlh"),
        ({"text": "Hi", "format": "ogg"}, "format", "one of wav, mp3, opus"),
        ({"text": "Hi", "speed": 5}, "speed", "0.25 to 4"),
        ({"text": "Hi", "speed": "fast"}, "speed", "number"),
        ({"text": "Hi", "emotion": "x" * 41}, "emotion", "at most 40"),
        ({"text": "Привет, как дела?", "voice": "fake:en-US"}, "text", "script"),
        ({"text": "<speak>Hi</speak>"}, "text", "markup"),
    ],
)
async def test_bad_speech_request_names_field_and_limit(api, worker, fields, field, said):
    response = await post(api, "/synthesize", fields)
    answer = response.json()
    assert (response.status_code, answer["code"], answer["field"]) == (422, "bad_value", field)
    assert said in answer["detail"]
    assert worker.synthesis.spoken == []


async def test_control_characters_are_not_spoken(api, worker):
    await body_of(await post(api, "/synthesize", {"text": "Good\x07 morning.\x1b\u202e"}))
    assert worker.synthesis.spoken == ["Good morning."]


async def test_body_of_three_megabytes_is_too_large(api, worker):
    response = await post(api, "/synthesize", {"text": "a" * 3_000_000})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


async def test_engine_that_cannot_is_a_503_before_any_audio(api, worker, monkeypatch):
    def fail(*args, **options):
        raise EngineUnavailable("No model.")

    monkeypatch.setattr(worker.synthesis, "synthesize", fail)
    response = await post(api, "/synthesize", {"text": TEXT})
    assert (response.status_code, response.json()["code"]) == (503, "engine_unavailable")
    assert int(response["Retry-After"]) > 0


async def test_engine_that_fails_in_mid_speech_breaks_the_stream_off(api, worker, monkeypatch):
    speak = worker.synthesis.synthesize

    def fail_second(text, **options):
        yield next(speak(text, **options))
        raise EngineUnavailable("The device is gone.")

    monkeypatch.setattr(worker.synthesis, "synthesize", fail_second)
    response = await post(api, "/synthesize", {"text": TEXT, "format": "wav"})
    assert response.status_code == 200
    with pytest.raises(CallFailed):
        await body_of(response)


@pytest.mark.parametrize("voice", ["\x00", "fake:en\x00", "\ud800", "fake:en-US#" + "1" * 5000, "v" * 201])
async def test_odd_voice_is_refused(api, engines, voice):
    response = await post(api, "/synthesize", {"text": TEXT, "voice": voice})
    assert (response.status_code, response.json()["field"]) == (422, "voice")


async def test_redis_that_is_away_is_a_503(api, engines, monkeypatch):
    async def fail(*args, **options):
        raise redis.ConnectionError("no")

    monkeypatch.setattr(calls.Call, "ask", fail)
    spoken = await post(api, "/synthesize", {"text": TEXT})
    heard = await api.post(f"{V1}/transcribe", {"file": recording()})
    for response in (spoken, heard):
        assert (response.status_code, response.json()["code"]) == (503, "engine_unavailable")
        assert int(response["Retry-After"]) > 0
    openai = await api.post("/v1/audio/transcriptions", {"file": recording()})
    assert (openai.status_code, openai.json()["error"]["type"]) == (503, "server_error")
    assert int(openai["Retry-After"]) > 0


async def test_full_queue_is_busy(api, engines, settings):
    settings.VOICE = settings.VOICE | {"QUEUE_LIMIT": 0}
    response = await post(api, "/synthesize", {"text": TEXT})
    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert response["Retry-After"] == "5"


async def test_fault_of_ours_tells_nothing_but_that(api, worker, monkeypatch, caplog):
    async def fail(*args):
        raise ValueError(TEXT)

    monkeypatch.setattr(responses, "speech", fail)
    response = await post(api, "/synthesize", {"text": TEXT})
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "ValueError" in caplog.text
    assert TEXT not in caplog.text


async def test_sentiment_comes_when_asked_for(api, worker):
    pytest.importorskip("textblob")
    response = await post(api, "/synthesize", {"text": "I loved it.", "language": "en", "sentiment": True})
    assert json.loads(response["X-Sentiment"])["sentiment"]["label"] == "positive"
    await body_of(response)
    assert "X-Sentiment" not in await post(api, "/synthesize", {"text": "I loved it."})


# Transcription


async def test_file_is_transcribed(api, worker):
    response = await api.post(f"{V1}/transcribe", {"file": recording(), "prompt": "Kubernetes"})
    answer = response.json()
    assert response.status_code == 200
    assert (answer["text"], answer["language"]) == ("I led a team of five.", "en")
    assert answer["duration"] == pytest.approx(1.0, abs=0.01)
    assert answer["segments"][0]["words"][0] == {"word": "I", "start": 0.0, "end": 0.167, "confidence": 0.9}
    assert "sentiment" not in answer
    assert "speaker" not in answer["segments"][0]
    assert worker.recognition.heard[0].hot_words == "Kubernetes"


@pytest.mark.parametrize(
    ("file_format", "media_type", "text"),
    [
        ("text", "text/plain", "I led a team of five.\n"),
        ("srt", "application/x-subrip", "1\n00:00:00,000 --> 00:00:01,000\nI led a team of five.\n"),
        ("vtt", "text/vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nI led a team of five.\n"),
    ],
)
async def test_transcript_comes_as_text(api, worker, file_format, media_type, text):
    response = await api.post(f"{V1}/transcribe", {"file": recording(), "response_format": file_format})
    assert response["Content-Type"] == f"{media_type}; charset=utf-8"
    assert response.content.decode() == text


async def test_transcript_has_its_sentiment_when_asked_for(api, worker):
    pytest.importorskip("textblob")
    response = await api.post(f"{V1}/transcribe", {"file": recording(), "sentiment": "true"})
    assert response.json()["sentiment"]["label"] == "neutral"
    assert response.json()["keywords"]


def hours_of_silence():
    """Eight hours in a FLAC file of a few hundred kilobytes."""
    return encode_flac(bytes(2 * 8 * 3600 * 4_000), rate_hz=4_000)


BAD_FILES = {
    "text": (lambda: b"This is no audio at all. " * 100, "cannot be read as audio"),
    "cut": (lambda: encode_wav(factories.tone(1.0))[:30], "read as audio"),
    "no samples": (lambda: encode_wav(b""), "audio"),
    "long": (hours_of_silence, "over 3600 s"),
    "zip": (lambda: b"PK\x03\x04" + bytes(1000), "cannot be read as audio"),
    "playlist": (lambda: b"#EXTM3U\nhttp://127.0.0.1/secret\n", "cannot be read as audio"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
async def test_bad_file_is_refused_and_the_worker_goes_on(api, worker, kind):
    make, said = BAD_FILES[kind]
    response = await api.post(f"{V1}/transcribe", {"file": SimpleUploadedFile("a.wav", make())})
    answer = response.json()
    assert (response.status_code, answer["code"], answer["field"]) == (422, "audio_rejected", "file")
    assert said in answer["detail"]
    assert worker.recognition.heard == []
    good = await api.post(f"{V1}/transcribe", {"file": recording()})
    assert good.json()["text"] == "I led a team of five."


async def test_empty_file_is_refused_before_any_work(api, engines):
    response = await api.post(f"{V1}/transcribe", {"file": SimpleUploadedFile("a.wav", b"")})
    answer = response.json()
    assert (response.status_code, answer["field"]) == (422, "file")


async def test_file_over_the_limit_is_refused_before_any_work(api, engines, settings, queued):
    settings.VOICE = settings.VOICE | {"MAX_UPLOAD_MB": 1}
    response = await api.post(f"{V1}/transcribe", {"file": SimpleUploadedFile("a.wav", bytes(1024**2 + 1))})
    answer = response.json()
    assert (response.status_code, answer["code"], answer["field"]) == (413, "too_large", "file")
    assert "1 MB" in answer["detail"]
    assert queued("stt") == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"language": "no language"}, "language"),
        ({"prompt": "x" * 1001}, "prompt"),
        ({"response_format": "docx"}, "response_format"),
        ({"diarize": "perhaps"}, "diarize"),
    ],
)
async def test_bad_transcription_option_names_the_field(api, engines, fields, field):
    response = await api.post(f"{V1}/transcribe", {"file": recording(), **fields})
    answer = response.json()
    assert (response.status_code, answer["code"], answer["field"]) == (422, "bad_value", field)


async def test_language_nobody_hears_is_refused(api, worker):
    response = await api.post(f"{V1}/transcribe", {"file": recording(), "language": "fi"})
    answer = response.json()
    assert response.status_code in (422, 503)
    assert answer["detail"]


async def test_form_without_file_says_so(api, engines):
    response = await api.post(f"{V1}/transcribe", {"language": "en"})
    assert (response.status_code, response.json()["field"]) == (422, "file")


async def test_broken_form_is_a_clear_error(api, engines):
    broken = {"data": b"--x\r\nContent-", "content_type": "multipart/form-data"}
    response = await api.post(f"{V1}/transcribe", **broken)
    assert (response.status_code, response.json()["field"]) == (422, "body")


async def test_speakers_without_models_are_refused_before_any_work(api, engines, queued):
    response = await api.post(f"{V1}/transcribe", {"file": recording(), "diarize": "true"})
    assert (response.status_code, response.json()["field"]) == (422, "diarize")
    assert "DIARIZATION_SEGMENTATION_MODEL" in response.json()["detail"]
    assert queued("stt") == []


async def test_speakers_are_told_apart_when_asked_for(api, worker, monkeypatch, settings):
    models = {"DIARIZATION_SEGMENTATION_MODEL": "a.onnx", "DIARIZATION_EMBEDDING_MODEL": "b.onnx"}
    settings.VOICE = settings.VOICE | models
    monkeypatch.setattr(answering, "with_speakers", lambda samples, result: (result, ["Speaker 1"]))
    response = await api.post(f"{V1}/transcribe", {"file": recording(), "diarize": "true"})
    assert response.json()["segments"][0]["speaker"] == "Speaker 1"


async def test_frames_that_are_skipped_are_counted_in_the_answer(api, worker, monkeypatch):
    def decode(file, tally):
        tally.skipped_frames = 7
        return samples_from_s16le(factories.tone(1.0))

    monkeypatch.setattr(answering, "decoded", decode)

    assert (await api.post(f"{V1}/transcribe", {"file": recording()})).json()["skipped_frames"] == 7
    converted = await api.post(f"{V1}/convert", {"file": recording()})
    assert converted["X-Skipped-Frames"] == "0"


# Voices


async def test_voices_are_listed_and_can_be_heard(api, worker):
    voices = (await api.get(f"{V1}/voices")).json()
    assert [voice["id"] for voice in voices] == ["fake:en-US", "fake:de-DE"]
    assert voices[0] | {"sample_url": ""} == {
        "id": "fake:en-US",
        "name": "Fake en-US",
        "language": "en-US",
        "engine": "fake",
        "quality": "last_resort",
        "sample_rate_hz": 16000,
        "speakers": [],
        "sample_url": "",
    }
    path = voices[1]["sample_url"].removeprefix("http://127.0.0.1:8000")
    response = await api.get(path, {"format": "flac"})
    assert (response["Content-Type"], response["Accept-Ranges"]) == ("audio/flac", "bytes")
    assert stated_seconds(response.content) == pytest.approx(seconds_of(response.content))
    assert worker.synthesis.spoken == ["Guten Tag, so klinge ich, wenn ich spreche."]

    part = await api.get(path, {"format": "flac"}, headers={"Range": "bytes=0-1"})  # as Safari asks first
    assert (part.status_code, part.content) == (206, b"fL")
    assert part["Content-Range"] == f"bytes 0-1/{len(response.content)}"
    head = await api.head(path, {"format": "flac"})
    assert (head.status_code, head["Content-Length"]) == (200, str(len(response.content)))


@pytest.mark.parametrize(
    ("wanted", "count"), [({"language": "de"}, 1), ({"language": "fr"}, 0), ({"engine": "fake"}, 2)]
)
async def test_voices_are_filtered(api, engines, wanted, count):
    assert len((await api.get(f"{V1}/voices", wanted)).json()) == count


async def test_unknown_voice_cannot_be_heard(api, engines):
    response = await api.get(f"{V1}/voices/nobody/sample")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


# Callers and limits


async def test_short_forms_are_the_same(api, worker):
    spoken = await api.post("/api/tts", data=json.dumps({"text": TEXT}), content_type="application/json")
    heard = await api.post("/api/stt", {"file": recording()})
    assert seconds_of(await body_of(spoken)) > 2
    assert heard.json()["text"] == "I led a team of five."


async def test_every_answer_says_what_is_left(api, engines, settings):
    settings.VOICE = settings.VOICE | {"REQUESTS_PER_MINUTE": 2}
    first, bad = await api.get(f"{V1}/voices"), await post(api, "/synthesize", {})
    refused = await api.get(f"{V1}/voices")
    headers = ("RateLimit-Limit", "RateLimit-Remaining")
    assert [response[name] for response in (first, bad, refused) for name in headers] == list("212020")
    assert [first.status_code, bad.status_code, refused.status_code] == [200, 422, 429]
    assert refused.json()["code"] == "rate_limited"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert 0 < int(refused["RateLimit-Reset"]) <= 60


async def test_openai_form_of_the_same_refusals(api, engines, settings):
    settings.VOICE = settings.VOICE | {"REQUESTS_PER_MINUTE": 1}
    wrong = await api.post("/v1/models")
    await api.get("/v1/models")
    refused = await api.get("/v1/models")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (405, "method_not_allowed")
    error = {"type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
    assert refused.status_code == 429
    assert refused.json()["error"] | error == refused.json()["error"]
    assert int(refused["Retry-After"]) > 0


ADDRESSES = [
    ("post", f"{V1}/synthesize"),
    ("post", f"{V1}/transcribe"),
    ("get", f"{V1}/voices"),
    ("get", f"{V1}/batches"),
    ("get", f"{V1}/cloned-voices"),
    ("delete", f"{V1}/cloned-voices/anna"),
    ("post", "/api/tts"),
    ("post", "/api/stt"),
    ("get", "/stats"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
async def test_nobody_is_let_in_without_a_key(transactional_db, engines, method, path):
    response = await getattr(AsyncClient(), method)(path)
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response["WWW-Authenticate"] == "Bearer"


async def test_key_for_interviews_is_forbidden(interviews_key, engines):
    response = await AsyncClient().get(f"{V1}/voices", headers={"X-API-Key": interviews_key.plain})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


async def test_public_service_takes_anybody(transactional_db, engines, settings):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}
    assert (await AsyncClient().get(f"{V1}/voices")).status_code == 200


async def test_staff_need_no_key_but_the_csrf_token(signed_in, engines):
    read = await signed_in.get(f"{V1}/voices")
    write = await post(signed_in, "/synthesize", {"text": TEXT})
    assert (read.status_code, write.status_code) == (200, 403)


@pytest.mark.parametrize("path", ["/api/v1/voice/nothing", "/api/nothing", "/api/v1/voice"])
async def test_unknown_address_is_a_json_404(api, path):
    response = await api.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("method", "path"), [("get", "/api/tts"), ("delete", f"{V1}/voices")])
async def test_wrong_method_is_a_json_405(api, method, path):
    response = await getattr(api, method)(path)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"]


async def test_description_has_every_address(api):
    described = (await api.get("/api/openapi.json")).json()
    wanted = {"/api/v1/voice/synthesize", "/api/v1/voice/batches/{batch_id}", "/api/tts", "/stats"}
    assert wanted | {"/v1/audio/speech", "/v1/audio/transcriptions"} <= described["paths"].keys()
    spoken = described["paths"]["/api/v1/voice/synthesize"]["post"]["responses"]
    assert "audio/mpeg" in spoken["200"]["content"]
    assert "429" in spoken


async def test_registered_voices_are_listed_and_erased_by_their_owner(api, key, engines):
    own = {"duration_ms": 4000, "has_consent": True}
    await ClonedVoice.objects.acreate(owner=f"organisation:{key.organisation_id}", name="anna", **own)
    await ClonedVoice.objects.acreate(owner="organisation:0", name="berta", **own)
    (listed,) = (await api.get(f"{V1}/cloned-voices")).json()
    assert listed | {"voice_id": "anna", **own} == listed

    assert (await api.delete(f"{V1}/cloned-voices/berta")).status_code == 404
    assert (await api.delete(f"{V1}/cloned-voices/anna")).status_code == 204
    assert (await api.delete(f"{V1}/cloned-voices/anna")).status_code == 404
    assert [voice.name async for voice in ClonedVoice.objects.all()] == ["berta"]
