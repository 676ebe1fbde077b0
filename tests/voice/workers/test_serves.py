"""What a worker tells of itself, by which jobs choose their pool."""

import numpy as np
import pytest

from tests.fakes import FakeRecognition, FakeSynthesis
from voice.errors import EngineUnavailable
from voice.inference import breaker
from voice.inference.recognizer import Recognizer
from voice.inference.retry import ONCE
from voice.inference.synthesizer import Synthesizer
from voice.management.commands.voiceworker import with_calls
from voice.workers.registration import _reserved
from voice.workers.services import WarmServices

pytestmark = pytest.mark.usefixtures("clean_redis")


class Broken(FakeRecognition):
    name = "broken"

    def recognize(self, samples, **options):
        raise EngineUnavailable("The device is gone.")


class Voiceless(FakeSynthesis):
    name = "voiceless"

    def voices(self):
        return ()


def test_languages_and_engines_with_a_voice():
    services = WarmServices(
        [Recognizer([FakeRecognition()]), Synthesizer([FakeSynthesis(), Voiceless()], pool="gpu")]
    )

    assert services.serves() == "stt/* stt/de stt/en tts/fake"


def test_worker_without_a_service_does_not_tell_and_one_without_an_engine_tells_that():
    assert WarmServices([]).serves() == ""
    assert WarmServices([Synthesizer([Voiceless()])]).serves() == "nothing"


def test_engine_that_is_left_alone_is_not_served_until_it_is_tried_again(settings, monkeypatch):
    settings.BREAKER_FAILURES = 2
    monkeypatch.setattr(breaker, "CLOSED_FOR_S", 0)
    recognizer = Recognizer([Broken()], retry=ONCE, pool="gpu")
    services, silence = WarmServices([recognizer]), np.zeros(1600, np.float32)

    for _ in range(3):
        with pytest.raises(EngineUnavailable):
            recognizer.recognize(silence, language="en")

    assert services.serves() == "nothing"
    assert [state.name for state in breaker.states([("recognition", "broken@gpu")])] == ["open"]
    assert [state.name for state in breaker.states([("recognition", "broken")])] == ["closed"]
    monkeypatch.setattr(breaker.time, "monotonic", lambda: float("inf"))
    assert services.serves() == "stt/* stt/de stt/en"


@pytest.mark.parametrize(
    ("queues", "served"),
    [
        (["stt-gpu"], ["stt-gpu", "stt-ahead", "stt-call", "stt-call-partial"]),
        (
            ["stt-gpu", "stt-later", "stt-batch"],
            ["stt-gpu", "stt-ahead", "stt-later", "stt-call", "stt-call-partial", "stt-batch"],
        ),
        (["stt-gpu", "stt"], ["stt-gpu", "stt", "stt-ahead", "stt-call", "stt-call-partial"]),
        (["stt", "stt-partial"], ["stt", "stt-ahead", "stt-partial", "stt-call", "stt-call-partial"]),
        (["tts-gpu"], ["tts-gpu"]),
        (["tts", "tts-gpu"], ["tts", "tts-gpu", "tts-call"]),
    ],
)
def test_callers_are_served_by_the_pools_that_serve_interviews(queues, served):
    assert with_calls(queues) == served


@pytest.mark.parametrize(
    ("queues", "reserved"),
    [
        (["stt", "stt-later", "stt-call"], ["stt", "stt-later"]),
        (["stt-gpu", "stt-later", "stt-call"], ["stt-gpu", "stt-later"]),
        (["tts-gpu", "tts-call"], ["tts-gpu"]),
    ],
)
def test_one_slot_is_kept_for_what_is_most_urgent(queues, reserved):
    assert _reserved(queues) == reserved
