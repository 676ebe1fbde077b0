"""Details of single vendors and of their shared code; tests/contracts has the common behaviour."""

import base64
import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosedOK

from tests.speech import spoken
from tests.vendors import aws, azure, deepgram, elevenlabs, google, openai
from tests.vendors.server import KEY, SENTENCE, Answer, VendorServer, as_json, hum
from voice.engines.cloud.account import CloudAccount
from voice.engines.cloud.languages import _ROWS, iso_code, locale_in
from voice.engines.cloud.vendors.aws import AwsSynthesis
from voice.engines.cloud.vendors.aws_transcribe import LOCALES, AwsRecognition
from voice.engines.cloud.vendors.azure import AzureSynthesis, ssml
from voice.engines.cloud.vendors.deepgram import DeepgramRecognition, DeepgramSynthesis
from voice.engines.cloud.vendors.elevenlabs import ElevenLabsSynthesis
from voice.engines.cloud.vendors.google import GoogleRecognition, GoogleSynthesis
from voice.engines.cloud.vendors.openai_compatible import OpenAIRecognition, OpenAISynthesis
from voice.engines.registry import EngineConfig, recognition_engines, synthesis_engines
from voice.errors import (
    AudioRejected,
    EngineUnavailable,
    LanguageUnsupported,
    SynthesisFailed,
    TransientFailure,
)
from voice.types import Voice

RATE_HZ = 16_000
PIECE_WAIT_S = 5.0


@pytest.fixture(scope="module")
def speech():
    return spoken("I worked on a large project for two years.")


@pytest.fixture
def engine_at():
    """A function that loads an engine of the class with its stand-in; both are closed after the test."""
    opened = []

    def make(engine_class, server, *, timeout_s=10.0, options=None, **changes):
        server.__enter__()
        opened.append(lambda: server.__exit__(None, None, None))
        account = CloudAccount(
            vendor=engine_class.name,
            api_key=KEY,
            secret_key=aws.SECRET,
            region=aws.REGION,
            base_url=server.url,
            timeout_s=timeout_s,
            **changes,
        )
        engine = engine_class(account, **(options or {}))
        opened.append(engine.close)
        engine.load()
        return engine

    yield make
    for close in reversed(opened):
        close()


class Told(VendorServer):
    """A server that gives the configured reply."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)
        self.asked = []

    def answer(self, request):
        self.asked.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


# --- shared code ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "code"), [("en-US", "en"), ("de_DE", "de"), ("English", "en"), ("deu", "de"), ("nb-NO", "no")]
)
def test_a_language_has_one_code_in_every_spelling(tag, code):
    assert iso_code(tag) == code


def test_the_table_of_languages_has_each_once():
    codes = {code for code, *_ in _ROWS}
    assert len(codes) == 100
    assert all(iso_code(code) == code for code in codes)


@pytest.mark.parametrize(
    ("tag", "locale"), [("de", "de-DE"), ("en", "en-US"), ("en_gb", "en-GB"), ("de-AT", "de-DE")]
)
def test_a_language_finds_its_locale(tag, locale):
    assert locale_in(LOCALES, tag) == locale


def test_no_locale_of_another_language_is_taken():
    with pytest.raises(LanguageUnsupported):
        locale_in(LOCALES, "xx-US")


def test_settings_become_accounts_that_show_no_key():
    values = {"API_KEY": f" {KEY} ", "TTS_MODEL": "", "VOICES": ["a@en-US", " b "], "TIMEOUT_S": 3.0}
    config = EngineConfig.from_settings(
        {"CLOUD": {"deepgram": values}, "STT_ENGINES": ["deepgram"], "TTS_ENGINES": ["deepgram", "aws"]}
    )

    account = config.account("deepgram")
    assert (account.api_key, account.voices, account.timeout_s) == (KEY, ("a@en-US", "b"), 3.0)
    assert config.account("aws").api_key == ""
    assert KEY not in repr(config)
    assert [engine.name for engine in recognition_engines(config)] == ["deepgram"]
    assert [engine.name for engine in synthesis_engines(config)] == ["deepgram", "aws"]


@pytest.mark.parametrize("key", ["has space", "line\nbreak", "ключ"])
def test_a_key_that_no_header_carries_is_refused_without_being_shown(key):
    with pytest.raises(EngineUnavailable, match="OPENAI_API_KEY") as caught:
        OpenAISynthesis(CloudAccount("openai", api_key=key)).load()
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("engine_class", "vendor", "missing"),
    [
        (DeepgramSynthesis, "deepgram", "httpx"),
        (ElevenLabsSynthesis, "elevenlabs", "websockets.sync.client"),
        (AwsSynthesis, "aws", "boto3"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(monkeypatch, engine_class, vendor, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    account = CloudAccount(vendor, api_key=KEY, secret_key=KEY, region="eu-central-1")

    with pytest.raises(EngineUnavailable, match=rf"interview-platform\[{vendor}\]"):
        engine_class(account).load()


@pytest.mark.parametrize(
    ("changes", "variable"),
    [({"secret_key": ""}, "AWS_SECRET_ACCESS_KEY"), ({"region": ""}, "AWS_REGION")],
)
def test_aws_names_what_else_is_missing(changes, variable):
    account = CloudAccount("aws", **({"api_key": KEY, "secret_key": KEY, "region": "eu-west-1"} | changes))

    with pytest.raises(EngineUnavailable, match=variable):
        AwsRecognition(account).load()


def test_azure_needs_a_region_or_an_address():
    with pytest.raises(EngineUnavailable, match="AZURE_REGION"):
        AzureSynthesis(CloudAccount("azure", api_key=KEY)).load()


@pytest.mark.parametrize(
    ("engine_class", "stand_in", "language"),
    [(OpenAISynthesis, openai.OpenAIVendor, "en"), (ElevenLabsSynthesis, elevenlabs.ElevenLabsSocket, "de")],
)
def test_a_redirect_is_not_followed_with_the_key(engine_at, engine_class, stand_in, language):
    vendor, elsewhere = stand_in(), Told(Answer(b"", "audio/pcm"))
    engine = engine_at(engine_class, vendor, voices=("alloy@en-US", f"{elevenlabs.VOICES[0]['voice_id']}@de"))
    with elsewhere:
        vendor.mood, vendor.location = 302, f"{elsewhere.url}/audio/speech"
        with pytest.raises(EngineUnavailable, match="302"):
            list(engine.synthesize("Hello.", voice=None, language=language))

    assert (vendor.requests, elsewhere.requests) == (1, 0)


def test_engines_import_no_vendor_library_before_they_are_loaded():
    code = (
        "import sys\n"
        "from voice.engines.registry import EngineConfig, recognition_engines, synthesis_engines\n"
        "names = ('openai', 'groq', 'deepgram', 'elevenlabs', 'aws', 'azure', 'google')\n"
        "config = EngineConfig(stt_engines=names, tts_engines=names)\n"
        "engines = recognition_engines(config) + synthesis_engines(config)\n"
        "assert all(engine.voices() == () for engine in synthesis_engines(config))\n"
        "print(len(engines), sorted({'av', 'boto3', 'botocore', 'httpx', 'websockets'} & set(sys.modules)))\n"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert printed.stdout.strip() == "14 []"


# --- recognition ----------------------------------------------------------------------------------


class ShortWindows(DeepgramRecognition):
    longest_s = 5.0


def test_a_long_recording_goes_in_windows_with_times_of_the_whole(engine_at, speech):
    vendor = deepgram.DeepgramVendor()
    engine = engine_at(ShortWindows, vendor)
    pause = np.zeros(2 * RATE_HZ, np.float32)
    told = []

    recognition = engine.recognize(
        np.concatenate([speech, pause, speech, pause, speech]), language="en", on_segments=told.append
    )

    assert vendor.requests == len(told) == 3
    assert recognition.text == " ".join([SENTENCE] * 3)
    starts = [segments[0].start_s for segments in told]
    step_s = (len(speech) + len(pause)) / RATE_HZ
    assert starts == pytest.approx([0, step_s, 2 * step_s], abs=0.6)
    assert vendor.complaints == []


def test_what_the_first_window_was_spoken_in_the_others_are_too(engine_at, speech):
    asked = []

    class Recording(deepgram.DeepgramVendor):
        def answer(self, request):
            asked.append(dict(request.query))
            return super().answer(request)

    engine = engine_at(ShortWindows, Recording())
    recognition = engine.recognize(
        np.concatenate([speech, np.zeros(2 * RATE_HZ, np.float32), speech]), language=None
    )

    assert [query.get("language") for query in asked] == [None, "en"]
    assert recognition.language == "en"


def test_only_speech_is_sent(engine_at, speech):
    class Measuring(deepgram.DeepgramVendor):
        seconds = 0.0

        def answer(self, request):
            from voice.audio.decoding import decode

            self.seconds += len(decode(request.body)) / RATE_HZ
            return super().answer(request)

    vendor = Measuring()
    quiet = np.zeros(60 * RATE_HZ, np.float32)

    engine_at(DeepgramRecognition, vendor).recognize(np.concatenate([quiet, speech, quiet]), language="en")

    assert vendor.seconds == pytest.approx(len(speech) / RATE_HZ, abs=1.0)


def _verbose(**changes):
    segment = {"start": 0, "end": 1, "text": "Hi", "avg_logprob": -0.1, "no_speech_prob": 0.0}
    answer = {"language": "english", "segments": [segment | changes.pop("segment", {})], "words": []}
    return answer | changes


@pytest.mark.parametrize(
    "answer",
    [
        [],
        None,
        "text",
        {},
        _verbose(segments=None),
        _verbose(segments=["x"]),
        _verbose(words=[{"word": "Hi"}]),
        _verbose(words=[{"word": 1, "start": 0, "end": 1}]),
        _verbose(language=None),
        _verbose(language="klingon"),
        _verbose(segment={"start": "soon"}),
        _verbose(segment={"start": float("nan")}),
        _verbose(segment={"end": True}),
        _verbose(segment={"avg_logprob": float("inf")}),
        _verbose(segment={"text": ["Hi"]}),
    ],
)
def test_an_answer_of_another_shape_is_malformed(engine_at, speech, answer):
    engine = engine_at(OpenAIRecognition, Told(as_json(answer)))

    with pytest.raises(EngineUnavailable) as caught:
        engine.recognize(speech, language=None)
    assert not isinstance(caught.value, TransientFailure)


def test_times_outside_the_recording_or_out_of_order_are_mended(engine_at, speech):
    words = [{"word": w, "start": s, "end": e} for w, s, e in (("a", 2, 1), ("b", -3, 0.5), ("c", 9e9, 9e9))]
    segment = {"start": -1, "end": 9e9, "text": "a b c", "avg_logprob": 0.5, "no_speech_prob": 7}
    engine = engine_at(OpenAIRecognition, Told(as_json(_verbose(words=words, segments=[segment]))))

    recognition = engine.recognize(speech, language="en")

    times = [(word.start_s, word.end_s) for word in recognition.words]
    assert all(0 <= start <= end <= recognition.duration_s for start, end in times)
    assert times == sorted(times)
    assert (recognition.segments[0].avg_logprob, recognition.segments[0].no_speech_prob) == (0.0, 1.0)


def test_deeply_nested_json_is_malformed(engine_at, speech):
    engine = engine_at(OpenAIRecognition, Told(Answer(b"[" * 200_000)))

    with pytest.raises(EngineUnavailable):
        engine.recognize(speech, language="en")


def test_an_endless_answer_is_cut(engine_at, speech, monkeypatch):
    monkeypatch.setattr("voice.engines.cloud.connection.LIMIT_BYTES", 1000)
    engine = engine_at(OpenAIRecognition, Told(Answer([b"x" * 600] * 3)))

    with pytest.raises(EngineUnavailable, match="OPENAI_BASE_URL"):
        engine.recognize(speech, language="en")


def test_an_answer_that_trickles_is_given_up(engine_at, speech):
    vendor = Told(Answer(b""))

    def trickle():
        while not vendor.released.wait(0.02):
            yield b" "

    vendor.answers = [Answer(trickle())]
    engine = engine_at(OpenAIRecognition, vendor, timeout_s=0.3)

    with pytest.raises(TransientFailure, match=r"within 0.3 s"):
        engine.recognize(speech, language="en")


def test_models_without_times_give_one_segment_with_the_probability_of_its_tokens(engine_at, speech):
    vendor = openai.OpenAIVendor()
    engine = engine_at(OpenAIRecognition, vendor, stt_model="gpt-4o-transcribe")

    recognition = engine.recognize(speech, language="en")

    (segment,) = recognition.segments
    assert (recognition.text, segment.words) == (SENTENCE, ())
    assert recognition.confidence == pytest.approx(np.exp(-0.1))
    assert vendor.complaints == []


def test_google_refuses_a_wrong_key_with_400(engine_at, speech):
    vendor = google.GoogleVendor()
    vendor.mood, vendor.refusal = 400, b'{"error": {"details": [{"reason": "API_KEY_INVALID"}]}}'
    engine = engine_at(GoogleRecognition, vendor)

    with pytest.raises(EngineUnavailable, match="GOOGLE_API_KEY"):
        engine.recognize(speech, language="en")


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        ("BadRequestException", AudioRejected),
        ("LimitExceededException", TransientFailure),
        ("ServiceUnavailableException", TransientFailure),
        ("InternalFailureException", TransientFailure),
        ("SomethingNewException", EngineUnavailable),
    ],
)
def test_transcribe_says_in_the_stream_why_it_gives_up(engine_at, speech, exception, expected):
    class Refusing(aws.TranscribeVendor):
        def converse(self, connection):
            connection.recv(timeout=60)
            connection.send(aws.event({"Message": "x"}, exception, "exception"))
            connection.close(1011)

    engine = engine_at(AwsRecognition, Refusing(), options={"pace": 1000.0})

    with pytest.raises(expected) as caught:
        engine.recognize(speech, language="en")
    assert type(caught.value) is expected


def test_transcribe_that_closes_before_it_has_all_is_worth_another_try():
    class Closing:
        def send(self, frame):
            raise ConnectionClosedOK(None, None)

        def recv(self, timeout):
            raise ConnectionClosedOK(None, None)

    engine = AwsRecognition(CloudAccount("aws", api_key=KEY, secret_key=aws.SECRET, region=aws.REGION))

    with pytest.raises(TransientFailure):
        list(engine._spoken(Closing(), bytes(32_000)))


# --- synthesis ------------------------------------------------------------------------------------


def _first_then(first, rest, was_taken):
    """Yield `first`, and the rest only after it was received."""
    yield first
    if was_taken.wait(PIECE_WAIT_S):
        yield rest


@pytest.mark.parametrize("engine_class", [OpenAISynthesis, DeepgramSynthesis, AzureSynthesis, AwsSynthesis])
def test_the_first_sound_is_heard_before_the_last_is_made(engine_at, engine_class):
    was_taken = threading.Event()
    pcm = hum("x" * 40, rate_hz=engine_class.rate_hz)
    vendor = Told(Answer(_first_then(pcm[:20_000], pcm[20_000:], was_taken), "audio/pcm"))
    engine = engine_at(engine_class, vendor)

    chunks = engine.synthesize("Hello there.", voice=None, language="en")
    first = next(chunks)
    was_taken.set()
    rest = list(chunks)

    assert first.text == "Hello there."
    assert len(first.samples) + sum(len(chunk.samples) for chunk in rest) == len(pcm) // 2


def test_elevenlabs_is_heard_before_it_has_finished(engine_at):
    was_taken = threading.Event()

    class Slow(elevenlabs.ElevenLabsSocket):
        def converse(self, connection):
            for _ in range(3):
                connection.recv(timeout=60)
            for piece in _first_then(b"\x00\x10" * 2400, b"\x00\x10" * 2400, was_taken):
                connection.send(json.dumps({"audio": base64.b64encode(piece).decode()}))
            connection.send(json.dumps({"isFinal": True}))

    engine = engine_at(ElevenLabsSynthesis, Slow())
    chunks = engine.synthesize("Hello there.", voice=None, language="en")
    next(chunks)
    was_taken.set()

    assert sum(len(chunk.samples) for chunk in chunks) == 2400


def test_sound_that_ends_within_a_sample_is_malformed(engine_at):
    engine = engine_at(OpenAISynthesis, Told(Answer(b"\x00\x10" * 500 + b"\x00", "audio/pcm")))

    with pytest.raises(EngineUnavailable):
        list(engine.synthesize("Hello.", voice=None, language="en"))


def test_no_sound_at_all_is_a_failure_of_the_text(engine_at):
    engine = engine_at(OpenAISynthesis, Told(Answer(b"", "audio/pcm")))

    with pytest.raises(SynthesisFailed):
        list(engine.synthesize("Hello.", voice=None, language="en"))


@pytest.mark.parametrize("content", ["!!", 5, None, base64.b64encode(b"RIFF????WAVE").decode()])
def test_google_sound_that_is_none_is_malformed(engine_at, content):
    engine = engine_at(GoogleSynthesis, Told(as_json({"audioContent": content})))

    with pytest.raises(EngineUnavailable):
        list(engine.synthesize("Hello.", voice=None, language="en"))


@pytest.mark.parametrize(
    "text", ["Is 3 < 4 & 5 > 4?", "</prosody></voice><voice name='x'>Hi.", ']]> &amp; "quoted"']
)
def test_markup_in_a_text_is_spoken_as_text(engine_at, text):
    vendor = azure.AzureVendor()

    list(engine_at(AzureSynthesis, vendor).synthesize(text, voice=None, language="en", emotion="cheerful"))

    assert vendor.spoken == text
    assert vendor.complaints == []


def test_a_voice_name_cannot_leave_its_attribute():
    voice = Voice('azure:x"><break/>', "en-US", "x", "azure", "cloud", 24_000)

    assert "<break/>" not in ssml("Hi", voice, speed=1.0, emotion="")


def test_elevenlabs_lists_the_voices_of_the_account_once(engine_at):
    vendor = elevenlabs.ElevenLabsSocket()
    engine = engine_at(ElevenLabsSynthesis, vendor)

    voices = engine.voices()
    engine.voices()

    assert [(voice.name, voice.language) for voice in voices] == [
        ("Rachel", "en-US"),
        ("Rachel", "de-DE"),
        ("Domi", "en"),
    ]
    assert vendor.requests == 1


@pytest.mark.parametrize(("mood", "expected"), [(503, TransientFailure), (401, EngineUnavailable)])
def test_elevenlabs_without_its_list_says_why_and_asks_seldom(engine_at, mood, expected):
    vendor = elevenlabs.ElevenLabsSocket()
    vendor.mood = mood
    engine = engine_at(ElevenLabsSynthesis, vendor)

    assert engine.voices() == ()
    with pytest.raises(expected) as caught:
        engine.synthesize("Hello.", voice=None, language="en")
    assert type(caught.value) is expected
    assert vendor.requests == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("invalid_api_key", EngineUnavailable),
        ("quota_exceeded", EngineUnavailable),
        ("system_busy", TransientFailure),
        ("max_character_limit_exceeded", SynthesisFailed),
        ("something_new", EngineUnavailable),
    ],
)
def test_elevenlabs_says_in_the_conversation_why_it_gives_up(engine_at, error, expected):
    class Refusing(elevenlabs.ElevenLabsSocket):
        def converse(self, connection):
            text = connection.recv(timeout=60)
            connection.send(json.dumps({"message": f"No {text}", "error": error, "code": 1008}))
            connection.close(1008)

    engine = engine_at(ElevenLabsSynthesis, Refusing())

    with pytest.raises(expected) as caught:
        list(engine.synthesize("Hello.", voice=None, language="en"))
    assert type(caught.value) is expected


@pytest.mark.parametrize(("code", "expected"), [(1008, EngineUnavailable), (1011, TransientFailure)])
def test_elevenlabs_says_by_closing_why_it_gives_up(engine_at, code, expected):
    class Closing(elevenlabs.ElevenLabsSocket):
        def converse(self, connection):
            connection.recv(timeout=60)
            connection.close(code)

    engine = engine_at(ElevenLabsSynthesis, Closing())

    with pytest.raises(expected) as caught:
        list(engine.synthesize("Hello.", voice=None, language="en"))
    assert type(caught.value) is expected


def test_a_stand_in_refuses_what_the_documentation_does_not_know(engine_at):
    """The stand-ins are strict: they report a wrong model."""
    vendor = openai.OpenAIVendor()
    engine = engine_at(OpenAISynthesis, vendor, tts_model="unheard-of")

    with pytest.raises(SynthesisFailed):
        list(engine.synthesize("Hello.", voice=None, language="en"))
    assert "a known model" in vendor.complaints[0]
