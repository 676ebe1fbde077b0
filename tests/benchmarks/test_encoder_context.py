"""How much sound Whisper's encoder has to be shown, and what showing less costs in words.

`test_contexts` derives the rules of voice/engines/stt/whisper_contexts.py: for each candidate the word errors
and the CPU seconds over all clips, with doubtful results decoded again in 30 s, as the engine does it.
`test_words_beside_plain_faster_whisper` compares the engine as it is with plain faster-whisper, which always
shows 30 s.
"""

import time
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests import real_models
from tests.benchmarks.clips import Clip, clips
from tests.speech import word_edits, words_of
from voice.engines.stt.faster_whisper import FasterWhisper
from voice.engines.stt.whisper_contexts import WINDOW_FRAMES, ContextRule
from voice.engines.stt.whisper_decoding import Input, Kind, WhisperDecoder
from voice.engines.vad.silero import SileroVad
from voice.engines.vad.windows import speech_spans, windows
from voice.types import Samples

pytestmark = [pytest.mark.timeout(3600), pytest.mark.real]

MODELS = ("tiny.en", "base")
STEPS_S = (15.0, 17.5, 20.0, 22.5, 25.0, 27.5)
CANDIDATES = {
    "15 s, +2 s": ((), 2.0),
    "12.5 s, +2 s": ((12.5,), 2.0),
    "10 s, +2 s": ((10.0, 12.5), 2.0),
    "10 s, +1 s": ((10.0, 12.5), 1.0),
    "8 s, +2 s": ((8.0, 10.0, 12.5), 2.0),
    "6 s, +2 s": ((6.0, 8.0, 10.0, 12.5), 2.0),
}
RESAMPLINGS = 2000
WINDOW_S = 30.0


@dataclass(frozen=True, slots=True)
class Tried:
    text: str
    cpu_s: float
    is_doubtful: bool = False


@pytest.fixture(params=MODELS)
def engine(request, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    engine = FasterWhisper(str(real_models.whisper(request.param)), device="cpu", slots=1)
    engine.load()
    yield engine
    engine.close()


@pytest.fixture
def spoken_clips(engine) -> list[Clip]:
    found = clips("en") if not engine.supports(None) else clips("en", "de", "es", "fr")
    return found or pytest.skip("there are no recordings of people")


@pytest.mark.parametrize("is_partial", [False, True], ids=["finals", "captions"])
def test_contexts(engine, spoken_clips, is_partial, figure):
    decoder, name = engine._loaded.decoder, engine.model.rsplit("-", 1)[-1]
    pieces = [(clip, _inputs(decoder, piece)) for clip in spoken_clips for piece in clip.pieces]
    full = [[_tried(decoder, clip, item, WINDOW_FRAMES) for item in inputs] for clip, inputs in pieces]
    _figures(figure, f"{name}, 30 s", pieces, full, full)
    for candidate, (shorter_s, margin_s) in CANDIDATES.items():
        rule = ContextRule((*shorter_s, *STEPS_S), margin_s, (*shorter_s, *STEPS_S), margin_s)
        tried = [
            [
                _with_rule(decoder, clip, item, rule, in_full, is_partial=is_partial)
                for item, in_full in zip(inputs, fulls, strict=True)
            ]
            for (clip, inputs), fulls in zip(pieces, full, strict=True)
        ]
        _figures(figure, f"{name}, {candidate}", pieces, tried, full)


def _inputs(decoder: WhisperDecoder, samples: Samples) -> list[Input]:
    spans = speech_spans(SileroVad().probabilities(samples), len(samples), longest_s=WINDOW_S)
    return [decoder.input_of(window.cut_from(samples)) for window in windows(spans, longest_s=WINDOW_S)]


def _with_rule(
    decoder: WhisperDecoder, clip: Clip, item: Input, rule: ContextRule, in_full: Tried, *, is_partial: bool
) -> Tried:
    """What the engine makes of a window: captions stand as they are, finals are checked."""
    context = rule.context(item.n_frames, is_partial=is_partial)
    tried = in_full if context == WINDOW_FRAMES else _tried(decoder, clip, item, context)
    if is_partial or not tried.is_doubtful:
        return tried
    return replace(tried, text=in_full.text, cpu_s=tried.cpu_s + in_full.cpu_s)


def _tried(decoder: WhisperDecoder, clip: Clip, item: Input, context: int) -> Tried:
    began_s = time.process_time()
    kind = Kind(clip.language, context=context, is_partial=True)  # without the times of words
    decoded = decoder.run(kind, [item])[0].decoded
    is_doubtful = context < WINDOW_FRAMES and decoded.is_doubtful(item.length_s)
    return Tried(decoded.text, time.process_time() - began_s, is_doubtful)


def _figures(figure, name, pieces, tried, full) -> None:
    said, heard, heard_in_full = defaultdict(list), defaultdict(list), defaultdict(list)
    for (clip, _), windows_tried, windows_full in zip(pieces, tried, full, strict=True):
        said[clip] = words_of(clip.transcript)
        heard[clip] += words_of(" ".join(window.text for window in windows_tried))
        heard_in_full[clip] += words_of(" ".join(window.text for window in windows_full))
    errors = sum(word_edits(said[clip], heard[clip]) for clip in said)
    every = [window for windows_tried in tried for window in windows_tried]
    figure(f"{name}: word errors in {sum(map(len, said.values()))}", errors, "")
    figure(f"{name}: most words beside 30 s", max(word_edits(heard_in_full[c], heard[c]) for c in said), "")
    figure(f"{name}: decoded again in {len(every)}", sum(window.is_doubtful for window in every), "")
    figure(f"{name}: processor", sum(window.cpu_s for window in every), "s")


def test_words_beside_plain_faster_whisper(engine, spoken_clips, figure):
    name, plain = engine.model.rsplit("-", 1)[-1], engine._loaded.decoder.whisper
    rows, worst = defaultdict(list), 0
    for clip in spoken_clips:
        said = words_of(clip.transcript)
        ours = words_of(" ".join(_ours(engine, clip, piece) for piece in clip.pieces))
        theirs = words_of(" ".join(_plain(plain, clip, piece) for piece in clip.pieces))
        errors = word_edits(said, ours), word_edits(said, theirs)
        rows[clip.source].append((*errors, len(said)))
        worst = max(worst, errors[0] - errors[1])
    by_source = np.array([np.sum(rows[source], axis=0) for source in rows])
    low, high = np.percentile(_resampled(by_source), [2.5, 97.5])
    ours_rate, plain_rate = (by_source[:, column].sum() / by_source[:, 2].sum() for column in (0, 1))
    figure(f"{name}: word error rate, ours", 100 * ours_rate, "%")
    figure(f"{name}: word error rate, plain faster-whisper", 100 * plain_rate, "%")
    figure(f"{name}: the difference", 100 * (ours_rate - plain_rate), "points", "at most 0.2")
    figure(f"{name}: its 95 % interval, low", low, "points")
    figure(f"{name}: its 95 % interval, high", high, "points")
    figure(f"{name}: most words more than plain in a clip", worst, "", "at most 2")


def _ours(engine: FasterWhisper, clip: Clip, samples: Samples) -> str:
    return engine.recognize(samples, language=clip.language).text


def _plain(whisper, clip: Clip, samples: Samples) -> str:
    segments, _ = whisper.transcribe(
        samples, language=clip.language, beam_size=1, word_timestamps=True, vad_filter=True
    )
    return "".join(segment.text for segment in segments)


def _resampled(by_source) -> list[float]:
    """Differences of the word error rates, in points, of recordings drawn with replacement."""
    random = np.random.default_rng(0)
    drawn = random.integers(len(by_source), size=(RESAMPLINGS, len(by_source)))
    totals = by_source[drawn].sum(axis=1)
    return 100 * (totals[:, 0] - totals[:, 1]) / totals[:, 2]
