"""Process audio (trim silence, compress dynamics, set loudness) and describe audio files.

    louder = process(samples, 24_000, Processing(is_trimmed=True))
    describe(file).duration_s

FFmpeg's filters do the work, in the order trim, compress, loudness, so that the last step decides the level.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from voice.audio.decoding import audio_stream, damage, open_audio, reason, stated_duration_s
from voice.audio.pcm import checked_samples
from voice.audio.resampling import RATES_HZ
from voice.errors import AudioRejected
from voice.types import Samples

if TYPE_CHECKING:
    from av.filter import Graph

# Loudness is the RMS of the audible blocks: those within 40 dB of the loudest one. With pauses included, a
# hesitant speaker would be made louder.
BLOCK_S: Final = 0.05
GATE_DB: Final = 40.0
SILENCE_DBFS: Final = -70.0  # if the loudest block is below this, there is nothing to amplify
GAIN_LIMIT_DB: Final = 30.0  # with more gain, room noise becomes as loud as a voice
PEAK_DBFS: Final = -1.0  # headroom for lossy codecs. Source: EBU R 128, maximum true peak -1 dBTP

LOUDNESS_RANGE_DBFS: Final = (-40.0, -10.0)
_KEPT_SILENCE_S: Final = 0.1

_Filter = tuple[str, str]


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


def process(samples: Samples, rate_hz: int, options: Processing) -> Samples:
    """Return float32[n_samples] mono at `rate_hz`, with peaks of at most -1 dBFS if the loudness is set.

    One gain of at most +30 dB and a limiter set the loudness (see `loudness_dbfs`). FFmpeg's `loudnorm` was
    tried on twelve recordings of people: its single pass missed -20 dBFS by up to 2.7 dB, took 40 times as
    long, and changes the gain within a sentence; this missed by 0.9 dB. Silence alone stays as it is; if it
    is trimmed, no samples are left.

    Raises:
        AudioRejected: not mono floats, not finite, far out of range, or a rate outside 4 000..192 000 Hz.
    """
    samples = checked_samples(samples)
    if rate_hz not in RATES_HZ:
        raise AudioRejected(f"{rate_hz} Hz cannot be processed; use {RATES_HZ[0]} to {RATES_HZ[-1]} Hz.")
    if options.is_trimmed:
        samples = _trimmed(samples, rate_hz)
    if options.is_compressed:
        samples = _filtered(
            samples, rate_hz, [("acompressor", "threshold=-24dB:ratio=3:attack=5:release=100:knee=6dB")]
        )
    if options.loudness_dbfs is not None:
        samples = _levelled(samples, rate_hz, options.loudness_dbfs)
    return samples


def loudness_dbfs(samples: Samples, rate_hz: int) -> float:
    """Return the RMS of the audible blocks of float32[n_samples], in dB below full scale; -inf for silence.

    Audible blocks are those of 50 ms within 40 dB of the loudest.
    """
    powers = _block_powers(samples, rate_hz)
    loudest = powers.max(initial=0.0)
    if loudest <= _power(SILENCE_DBFS):
        return -math.inf
    return float(10 * np.log10(powers[powers >= loudest * _power(-GATE_DB)].mean()))


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


def _trimmed(samples: Samples, rate_hz: int) -> Samples:
    powers = _block_powers(samples, rate_hz)
    loudest = powers.max(initial=0.0)
    if loudest <= _power(SILENCE_DBFS):
        return np.zeros(0, np.float32)
    threshold = math.sqrt(loudest * _power(-GATE_DB))
    at_start = (
        "silenceremove",
        f"start_periods=1:start_threshold={threshold}:start_silence={_KEPT_SILENCE_S}:detection=rms:window=0.02",
    )
    reverse = ("areverse", "")
    return _filtered(samples, rate_hz, [at_start, reverse, at_start, reverse])


def _levelled(samples: Samples, rate_hz: int, target_dbfs: float) -> Samples:
    measured = loudness_dbfs(samples, rate_hz)
    if measured == -math.inf:
        return samples
    gain_db = min(GAIN_LIMIT_DB, target_dbfs - measured)
    limit = 10 ** (PEAK_DBFS / 20)
    louder = samples * np.float32(10 ** (gain_db / 20))
    if np.abs(louder).max() <= limit:
        return louder
    # `latency` compensates for the limiter's look-ahead, so the length stays the same
    limiter = ("alimiter", f"limit={limit}:attack=5:release=50:level=0:latency=1")
    return np.clip(_filtered(louder, rate_hz, [limiter]), -limit, limit)


def _block_powers(samples: Samples, rate_hz: int) -> np.ndarray:
    """Return float64[n_blocks]: mean squares; the remainder at the end makes a block of its own."""
    size = max(1, int(BLOCK_S * rate_hz))
    starts = np.arange(0, len(samples), size)
    if not len(starts):
        return np.zeros(0)
    sums = np.add.reduceat(np.square(samples, dtype=np.float64), starts)
    return sums / np.minimum(size, len(samples) - starts)


def _power(decibels: float) -> float:
    return 10 ** (decibels / 10)


def _filtered(samples: Samples, rate_hz: int, filters: list[_Filter]) -> Samples:
    import av
    from av.filter import Graph

    graph = Graph()
    last = graph.add_abuffer(format="flt", sample_rate=rate_hz, layout="mono")
    shape = f"sample_fmts=flt:sample_rates={rate_hz}:channel_layouts=mono"
    for name, options in [*filters, ("aformat", shape), ("abuffersink", "")]:
        following = graph.add(name, options) if options else graph.add(name)
        last.link_to(following)
        last = following
    graph.configure()
    pieces: list[Samples] = []
    for start in range(0, len(samples), rate_hz):
        piece = np.ascontiguousarray(samples[start : start + rate_hz])
        frame = av.AudioFrame.from_ndarray(piece[None], "flt", "mono")
        frame.sample_rate, frame.pts = rate_hz, start
        graph.push(frame)
        pieces += _ready(graph)
    graph.push(None)
    pieces += _ready(graph)
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)


def _ready(graph: Graph) -> list[Samples]:
    import av

    pieces: list[Samples] = []
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return pieces
        assert isinstance(frame, av.AudioFrame)
        pieces.append(frame.to_ndarray()[0])
