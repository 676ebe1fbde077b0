"""The chain of recognition engines, with the real last resort and the real Whisper code where needed."""

import numpy as np
import pytest

from voice.engines.base import SteadyEngine
from voice.engines.registry import EngineConfig, recognition_engines
from voice.errors import AudioRejected, EngineUnavailable, LanguageUnsupported
from voice.inference import chain, reports
from voice.inference.recognizer import Recognizer
from voice.inference.reports import EngineReport
from voice.types import Recognition

SILENCE = np.zeros(8_000, np.float32)
pytestmark = pytest.mark.usefixtures("clean_redis")  # for the engines' breakers


class Scripted(SteadyEngine):
    """An engine that does as it is told; what real ones do is for the contract suite."""

    model, device = "none", "cpu"

    def __init__(self, name="first", *, languages=("en",), load_error=None, error=None):
        self.name, self.languages = name, languages
        self.load_error, self.error = load_error, error
        self.loads = self.calls = 0

    def load(self):
        self.loads += 1
        if self.load_error:
            raise EngineUnavailable(self.load_error)

    def supports(self, language):
        return language in self.languages

    def recognize(self, samples, *, language, hot_words=None, is_partial=False, on_segments=None):
        self.calls += 1
        if self.error:
            raise self.error
        return Recognition(f"{hot_words} {is_partial}", language, 1.0, 0.5, (), self.name, self.model)


def states(recognizer: Recognizer) -> list[tuple[str, str]]:
    return [(report.engine, report.state) for report in recognizer.reports()]


def test_load_takes_the_first_engine_and_leaves_the_others():
    first, second = Scripted(), Scripted("second")
    recognizer = Recognizer([first, second])

    recognizer.load()

    assert states(recognizer) == [("first", "ready"), ("second", "standby")]
    assert second.loads == 0


def test_load_goes_on_to_an_engine_that_can():
    recognizer = Recognizer([Scripted(load_error="no model"), Scripted("second")])

    recognizer.load()

    assert states(recognizer) == [("first", "unavailable"), ("second", "ready")]
    assert recognizer.reports()[0].last_error == "no model"


def test_load_with_nothing_left_tells_every_reason():
    recognizer = Recognizer([Scripted(load_error="no model"), Scripted("second", load_error="no wheel")])

    with pytest.raises(EngineUnavailable, match="first: no model; second: no wheel"):
        recognizer.load()


def test_options_reach_the_engine():
    result = Recognizer([Scripted()]).recognize(SILENCE, language="en", hot_words="Kafka", is_partial=True)

    assert (result.text, result.engine) == ("Kafka True", "first")


def test_language_of_a_later_engine_loads_it_once():
    first, second = Scripted(), Scripted("second", languages=("de",))
    recognizer = Recognizer([first, second])
    recognizer.load()

    engines = [recognizer.recognize(SILENCE, language="de").engine for _ in range(3)]

    assert engines == ["second"] * 3
    assert (second.loads, first.calls) == (1, 0)


def test_engine_that_fails_is_replaced_for_this_call_and_tried_again_in_the_next():
    first, second = Scripted(error=EngineUnavailable("out of memory")), Scripted("second")
    recognizer = Recognizer([first, second])

    assert recognizer.recognize(SILENCE, language="en").engine == "second"
    first.error = None

    assert recognizer.recognize(SILENCE, language="en").engine == "first"
    assert recognizer.reports()[0].last_error == "out of memory"


def test_engine_that_cannot_be_loaded_is_left_alone_for_a_while(monkeypatch):
    first = Scripted(load_error="hub not reached")
    recognizer = Recognizer([first])

    for _ in range(3):
        with pytest.raises(EngineUnavailable, match="first: hub not reached"):
            recognizer.recognize(SILENCE, language="en")
    assert first.loads == 1

    first.load_error = None
    monkeypatch.setattr(chain, "RELOAD_AFTER_S", 0)
    assert recognizer.recognize(SILENCE, language="en").engine == "first"


def test_unknown_language_is_told_from_an_engine_that_failed():
    with pytest.raises(LanguageUnsupported, match=r"'xx'.*WHISPER_MODEL"):
        Recognizer([Scripted()]).recognize(SILENCE, language="xx")

    with pytest.raises(EngineUnavailable, match="no model") as failed:
        Recognizer([Scripted(load_error="no model")]).recognize(SILENCE, language="en")
    assert not isinstance(failed.value, LanguageUnsupported)


def test_rejected_audio_is_not_shown_to_another_engine():
    second = Scripted("second")

    with pytest.raises(AudioRejected):
        Recognizer([Scripted(error=AudioRejected("NaN")), second]).recognize(SILENCE, language="en")
    assert second.calls == 0


def test_without_a_model_pocketsphinx_serves_and_whisper_says_why(tmp_path):
    config = EngineConfig(whisper_model="base", models_dir=str(tmp_path))
    recognizer = Recognizer(recognition_engines(config))  # tests have no hub

    recognizer.load()

    assert states(recognizer) == [("faster_whisper", "unavailable"), ("pocketsphinx", "ready")]
    assert "HF_HUB_OFFLINE" in recognizer.reports()[0].last_error
    assert recognizer.recognize(SILENCE, language="en").engine == "pocketsphinx"


def test_with_a_model_pocketsphinx_takes_no_memory(whisper_model):
    recognizer = Recognizer(recognition_engines(EngineConfig(whisper_model=str(whisper_model))))

    recognizer.load()

    assert states(recognizer) == [("faster_whisper", "ready"), ("pocketsphinx", "standby")]


# Reports of processes about their engines


def report(**fields) -> EngineReport:
    return EngineReport(**{"direction": "recognition", "engine": "e", "model": "m", "device": "cpu"} | fields)


def test_reports_of_all_processes_are_gathered(clean_redis):
    mine, other = report(state="ready"), report(state="loading", host="elsewhere", pid=1)
    reports.publish([mine], clean_redis)
    reports.publish([other], clean_redis)

    current = reports.current(clean_redis)

    assert {(r.host, r.state) for r in current} == {(mine.host, "ready"), ("elsewhere", "loading")}
    assert all(r.at > 0 for r in current)


def test_direction_is_ready_when_some_process_has_it_warm(clean_redis):
    reports.publish([report(state="standby"), report(engine="f", state="unavailable")], clean_redis)
    assert not reports.ready("recognition")

    reports.publish([report(state="ready")], clean_redis)

    assert reports.ready("recognition")
    assert not reports.ready("synthesis")


def test_report_of_a_process_that_is_no_more_is_dropped(clean_redis, monkeypatch):
    reports.publish([report(state="ready")], clean_redis)
    monkeypatch.setattr(reports, "STALE_S", 0)

    assert reports.current(clean_redis) == []
    assert not clean_redis.exists(reports.KEY)


def test_reports_are_withdrawn(clean_redis):
    reports.publish([report(state="ready")], clean_redis)
    reports.withdraw([report(state="stuck")], clean_redis)

    assert reports.current(clean_redis) == []
