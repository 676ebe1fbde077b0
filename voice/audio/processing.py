"""Process audio (trim silence, compress dynamics, set loudness) and describe audio files.

    options = Processing(is_trimmed=True)
    levels = measure(decoded_blocks(file, rate_hz=24_000), 24_000, options)
    for block in processed(decoded_blocks(file, rate_hz=24_000), 24_000, options, levels): ...
    describe(file).duration_s

The first pass finds out where the silence ends and how loud the speech is, the second one changes the audio.
So neither holds more than a block. The loudness is set last and decides the level.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from voice.audio.decoding import audio_stream, damage, open_audio, reason, stated_duration_s
from voice.audio.pcm import checked_samples
from voice.audio.resampling import RATES_HZ
from voice.errors import AudioRejected
from voice.types import Samples

# Loudness is the RMS of the audible blocks: those within 40 dB of the loudest one. With pauses included, a
# hesitant speaker would be made louder.
BLOCK_S: Final = 0.05
GATE_DB: Final = 40.0
SILENCE_DBFS: Final = -70.0  # if the loudest block is below this, there is nothing to amplify
GAIN_LIMIT_DB: Final = 30.0  # with more gain, room noise becomes as loud as a voice
PEAK_DBFS: Final = -1.0  # headroom for lossy codecs. Source: EBU R 128, maximum true peak -1 dBTP

LOUDNESS_RANGE_DBFS: Final = (-40.0, -10.0)
STEP_S: Final = 0.01
_KEPT_SILENCE_S: Final = 0.1
_COMPRESSOR: Final = ("acompressor", "threshold=-24dB:ratio=3:attack=5:release=100:knee=6dB")


@dataclass(frozen=True, slots=True)
class Processing:
    """The steps to apply to a piece of audio.

    loudness_dbfs: RMS of the speech in it, -40..-10 dB below full scale; None leaves the level as it is.
    is_compressed: reduce the difference between loud and soft passages.
    is_trimmed: cut silence at both ends, except for 0.1 s.
    """

    loudness_dbfs: float | None = -20.0
    is_compressed: bool = False
    is_trimmed: bool = False

    @property
    def needs_levels(self) -> bool:
        """Whether the audio must be measured first."""
        return self.is_trimmed or self.loudness_dbfs is not None

    def __post_init__(self) -> None:
        low, high = LOUDNESS_RANGE_DBFS
        if self.loudness_dbfs is not None and not low <= self.loudness_dbfs <= high:
            raise ValueError(
                f"A loudness of {self.loudness_dbfs} dBFS is not usual; choose {low:g} to {high:g}."
            )


@dataclass(frozen=True, slots=True)
class AudioDescription:
    """The properties of a file. Its tags are left out, because people write names into them.

    `duration_s` is None if only decoding would tell; `bit_rate` is in bits a second, None if unknown.
    """

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    duration_s: float | None
    bit_rate: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Levels:
    """What the first pass tells of a piece of audio at one rate.

    kept: the samples [start, end) between the silence at both ends; (0, 0) if nothing is audible.
    loudness_dbfs: RMS of the audible blocks after compression; -inf for silence.
    peak: of the samples after compression, 0 or more.
    """

    kept: tuple[int, int]
    loudness_dbfs: float
    peak: float


UNKNOWN: Final = Levels((0, 0), -math.inf, 0.0)
"""The levels of audio that was not measured (`Processing.needs_levels`)."""


def measure(blocks: Iterable[Samples], rate_hz: int, options: Processing) -> Levels:
    """Return the levels of float32[n_samples] mono blocks, one after the other, for `processed`.

    Raises:
        AudioRejected: not mono floats, not finite, far out of range, or a rate outside 4 000..192 000 Hz.
    """
    _check_rate(rate_hz)
    source, compressed = Meter(rate_hz), Meter(rate_hz)
    compressor = _Filter(rate_hz, *_COMPRESSOR) if options.is_compressed else None
    for block in map(checked_samples, blocks):
        source.add(block)
        if compressor:
            compressed.add(compressor.feed(block))
    if compressor:
        compressed.add(compressor.finish())
    heard = compressed if compressor else source
    return Levels(source.audible(), heard.loudness_dbfs(), heard.peak)


def processed(
    blocks: Iterable[Samples], rate_hz: int, options: Processing, levels: Levels
) -> Iterator[Samples]:
    """Yield the blocks that were measured as `levels`, changed. With a loudness, peaks are at most -1 dBFS.

    One gain of at most +30 dB and a limiter set the loudness (see `loudness_dbfs`). FFmpeg's `loudnorm` was
    tried on twelve recordings of people: its single pass missed -20 dBFS by up to 2.7 dB, took 40 times as
    long, and changes the gain within a sentence; this missed by 0.9 dB. Silence alone stays as it is; if it
    is trimmed, no samples are left.

    Raises:
        AudioRejected: not mono floats, not finite, far out of range, or a rate outside 4 000..192 000 Hz.
    """
    _check_rate(rate_hz)
    changed: Iterator[Samples] = map(checked_samples, blocks)
    if options.is_compressed:
        changed = _filtered(changed, _Filter(rate_hz, *_COMPRESSOR))
    if options.is_trimmed:
        changed = _cut(changed, *levels.kept)
    if options.loudness_dbfs is not None and levels.loudness_dbfs > -math.inf:
        changed = _levelled(changed, rate_hz, levels, options.loudness_dbfs)
    yield from changed


def loudness_dbfs(samples: Samples, rate_hz: int) -> float:
    """Return the RMS of the audible blocks of float32[n_samples], in dB below full scale; -inf for silence.

    Audible blocks are those of 50 ms within 40 dB of the loudest.
    """
    meter = Meter(rate_hz)
    meter.add(samples)
    return meter.loudness_dbfs()


def describe(file: bytes) -> AudioDescription:
    """Describe an audio file (or a video's audio) from its headers; nothing is decoded.

    Raises:
        AudioRejected: not audio, damaged, or the codec, rate or number of channels is not supported.
    """
    try:
        with open_audio(io.BytesIO(file)) as container:
            stream = audio_stream(container)
            duration_s = stated_duration_s(container)
            if duration_s is None and container.format.name == "wav" and container.duration:
                duration_s = container.duration / 1e6  # FFmpeg computes it from the bytes that are there
            return AudioDescription(
                container=container.format.name,
                codec=stream.codec_context.name,
                sample_rate_hz=stream.codec_context.sample_rate,
                channels=stream.codec_context.channels,
                duration_s=duration_s,
                bit_rate=stream.bit_rate or container.bit_rate or None,
                size_bytes=len(file),
            )
    except damage() as error:
        raise AudioRejected(f"The file cannot be read as audio ({reason(error)}); send another.") from error


class Meter:
    """Collects the power of a stream in steps of 10 ms: 3 MB for an hour."""

    def __init__(self, rate_hz: int) -> None:
        self.peak = 0.0
        self._rate_hz = rate_hz
        self._size = max(1, int(STEP_S * rate_hz))
        self._n_samples = 0
        self._begun = np.zeros(0, np.float32)  # less than a step
        self._powers: list[npt.NDArray[np.float64]] = []

    def add(self, samples: Samples) -> None:
        """Measure the next samples."""
        if not len(samples):
            return
        self.peak = max(self.peak, float(samples.max()), -float(samples.min()))
        self._n_samples += len(samples)
        waiting = np.concatenate([self._begun, samples])
        whole = len(waiting) // self._size * self._size
        steps = waiting[:whole].reshape(-1, self._size)
        self._powers.append(np.square(steps, dtype=np.float64).mean(axis=1))
        self._begun = waiting[whole:]

    def audible(self) -> tuple[int, int]:
        """Return the samples [start, end) from the first to the last sound, with 0.1 s of silence around.

        A sound is 20 ms within 40 dB of the loudest block. (0, 0) if there is none.
        """
        steps = self._steps()
        loudest = self._blocks().max(initial=0.0)
        if loudest <= _power(SILENCE_DBFS):
            return 0, 0
        pairs = (steps + np.append(steps[1:], steps[-1])) / 2
        (sounds,) = np.nonzero(pairs > loudest * _power(-GATE_DB))
        kept = int(_KEPT_SILENCE_S * self._rate_hz)
        start, end = sounds[0] * self._size - kept, (sounds[-1] + 2) * self._size + kept
        return max(0, int(start)), min(self._n_samples, int(end))

    def loudness_dbfs(self) -> float:
        """See `Levels`."""
        powers = self._blocks()
        loudest = powers.max(initial=0.0)
        if loudest <= _power(SILENCE_DBFS):
            return -math.inf
        return float(10 * np.log10(powers[powers >= loudest * _power(-GATE_DB)].mean()))

    def _steps(self) -> npt.NDArray[np.float64]:
        """Return the power of each step; the remainder at the end makes a step of its own."""
        last = np.square(self._begun, dtype=np.float64).mean(keepdims=True) if len(self._begun) else []
        return np.concatenate([*self._powers, last])

    def _blocks(self) -> npt.NDArray[np.float64]:
        """Return the power of each block of 50 ms."""
        steps, per_block = self._steps(), round(BLOCK_S / STEP_S)
        starts = np.arange(0, len(steps), per_block)
        if not len(starts):
            return steps
        return np.add.reduceat(steps, starts) / np.minimum(per_block, len(steps) - starts)


class _Filter:
    """One of FFmpeg's filters for mono audio, block by block."""

    def __init__(self, rate_hz: int, name: str, options: str) -> None:
        from av.filter import Graph

        self._rate_hz = rate_hz
        self._n_samples = 0
        self._graph = Graph()
        last = self._graph.add_abuffer(format="flt", sample_rate=rate_hz, layout="mono")
        shape = f"sample_fmts=flt:sample_rates={rate_hz}:channel_layouts=mono"
        for filter_name, filter_options in [(name, options), ("aformat", shape), ("abuffersink", None)]:
            following = self._graph.add(filter_name, filter_options)
            last.link_to(following)
            last = following
        self._graph.configure()

    def feed(self, samples: Samples) -> Samples:
        """Return float32[]: what can be filtered so far."""
        import av

        if not len(samples):
            return samples
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], "flt", "mono")
        frame.sample_rate, frame.pts = self._rate_hz, self._n_samples
        self._n_samples += len(samples)
        self._graph.push(frame)
        return self._ready()

    def finish(self) -> Samples:
        """Return float32[]: the rest."""
        if not self._n_samples:
            return np.zeros(0, np.float32)
        self._graph.push(None)
        return self._ready()

    def _ready(self) -> Samples:
        import av

        pieces: list[Samples] = []
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
            assert isinstance(frame, av.AudioFrame)
            pieces.append(frame.to_ndarray()[0])


def _filtered(blocks: Iterator[Samples], step: _Filter) -> Iterator[Samples]:
    for block in blocks:
        yield step.feed(block)
    yield step.finish()


def _cut(blocks: Iterator[Samples], start: int, end: int) -> Iterator[Samples]:
    """Yield the samples [start, end) of a stream."""
    position = 0
    for block in blocks:
        yield block[max(0, start - position) : max(0, end - position)]
        position += len(block)


def _levelled(
    blocks: Iterator[Samples], rate_hz: int, levels: Levels, target_dbfs: float
) -> Iterator[Samples]:
    gain = 10 ** (min(GAIN_LIMIT_DB, target_dbfs - levels.loudness_dbfs) / 20)
    limit = 10 ** (PEAK_DBFS / 20)
    louder = (block * np.float32(gain) for block in blocks)
    if levels.peak * gain <= limit:
        yield from louder
        return
    # `latency` compensates for the limiter's look-ahead, so the length stays the same
    limiter = _Filter(rate_hz, "alimiter", f"limit={limit}:attack=5:release=50:level=0:latency=1")
    for block in _filtered(louder, limiter):
        yield np.clip(block, -limit, limit)


def _check_rate(rate_hz: int) -> None:
    if rate_hz not in RATES_HZ:
        raise AudioRejected(f"{rate_hz} Hz cannot be processed; use {RATES_HZ[0]} to {RATES_HZ[-1]} Hz.")


def _power(decibels: float) -> float:
    return 10 ** (decibels / 10)
