"""Decode audio files within limits. `voice.audio.encoding` writes files.

Inside the platform audio is `float32[n_samples]`, mono, -1..1, or signed 16-bit little-endian PCM (s16le).
PyAV (FFmpeg) is imported by the functions that need it: web processes that only convert PCM stay small.
"""

from __future__ import annotations

import ctypes
import io
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import numpy as np

from voice.audio.channels import Downmix
from voice.audio.resampling import RATES_HZ, Resampler, to_floats
from voice.errors import AudioRejected
from voice.types import RECOGNITION_RATE_HZ, Samples

if TYPE_CHECKING:
    import av
    from av.audio.stream import AudioStream
    from av.container import InputContainer

CHANNELS_LIMIT: Final = 16  # FFmpeg has no layout for more, so it cannot mix them down

# A few bytes may stand for any number of silent samples, and a frame is held as a whole. Usual codecs have at
# most 65,535 samples in a frame (FLAC, RFC 9639, section 9.1); ALAC's header may state 16 million.
FRAME_SAMPLES_LIMIT: Final = 2**17

# The largest pieces of usual files are packets of plain PCM, up to a whole upload.
ALLOCATION_BYTES: Final = 32 * 1024**2

# The formats that recorders, browsers and telephones write. FFmpeg knows hundreds more. Some are playlists,
# which would make this server open the addresses and files that they name.
READABLE_FORMATS: Final = "aac,aiff,amr,asf,au,caf,flac,flv,matroska,mov,mp3,mpegts,ogg,wav,w64"

# A container may carry any codec, and a crafted file may choose the most obscure one. Video is never decoded.
_CODECS: Final = """
    aac aac_latm ac3 eac3 alac amrnb amrwb libopencore_amrnb libopencore_amrwb flac libfdk_aac mp2 mp2float
    mp3 mp3float opus libopus speex libspeex vorbis libvorbis wmav1 wmav2 adpcm_ima_qt adpcm_ima_wav adpcm_ms
    gsm gsm_ms pcm_alaw pcm_f32be pcm_f32le pcm_f64be pcm_f64le pcm_mulaw pcm_s16be pcm_s16le pcm_s24be
    pcm_s24le pcm_s32be pcm_s32le pcm_s8 pcm_u8
"""
READABLE_CODECS: Final = frozenset(_CODECS.split())

# The file itself is read through Python. The protocol "none" keeps FFmpeg from opening anything the file
# refers to.
_OPENING: Final = {
    "format_whitelist": READABLE_FORMATS,
    "protocol_whitelist": "none",
    "codec_whitelist": ",".join(sorted(READABLE_CODECS)),
    "max_streams": "64",
    "raw_packet_size": "32768",  # FLAC is searched for frames in blocks of this size instead of 1024 bytes
}

_OPENING_LIVE: Final = {"probesize": "32", "analyzeduration": "1", "raw_packet_size": "1024"}

# These formats state their duration. The others estimate it from their bit rate, which may be far off.
_FORMATS_WITH_DURATION: Final = frozenset({"asf", "flac", "matroska", "mov", "ogg"})

# Players skip a damaged frame: tags at the end of an MP3, a file cut short, a voice message that lost some on
# its way. With more damaged frames than this, the rest is not what was recorded.
_DAMAGED_SHARE: Final = 0.2
_DAMAGED_COUNT: Final = 3

# AMR sends comfort noise in a pause, which FFmpeg does not decode: frames of at most so many bytes.
# Source: RFC 4867, section 5.3 and annex A; 3GPP TS 26.101, table 1a, and TS 26.201, table 1a.
_COMFORT_NOISE_BYTES: Final = {"amrnb": 6, "amrwb": 6}
_LONGEST_SKIP_S: Final = 1.0

Limit = Literal["bytes", "seconds", "channels", "sample_rate_hz", "cpu_seconds"]


class AudioOverLimit(AudioRejected):
    """Audio is over a limit; `limit` names the limit, `maximum` is its value."""

    def __init__(self, limit: Limit, maximum: float, detail: str) -> None:
        super().__init__(detail)
        self.limit = limit
        self.maximum = maximum


@dataclass(slots=True)
class Tally:
    """What was counted while a file was decoded."""

    skipped_frames: int = 0
    """Frames that are damaged or unknown. Silence stands for them where their length is known."""


def decode(
    file: bytes | BinaryIO,
    *,
    rate_hz: int = RECOGNITION_RATE_HZ,
    limit_bytes: int = 25 * 1024 * 1024,
    limit_s: float = 3600.0,
    limit_cpu_s: float = 60.0,
    tally: Tally | None = None,
) -> Samples:
    """Decode an audio file (or a video's audio) in any usual format to float32[n_samples] mono at `rate_hz`.

    As `decoded_blocks`, whose blocks are joined: memory stays near 4 bytes * `rate_hz` * `limit_s`.
    """
    limits: dict[str, Any] = {"limit_bytes": limit_bytes, "limit_s": limit_s, "limit_cpu_s": limit_cpu_s}
    samples = bytearray()  # grows in place, so there is never a second copy
    for block in decoded_blocks(file, rate_hz=rate_hz, tally=tally, **limits):
        samples += block.data
    return np.frombuffer(samples, np.float32)


def decoded_blocks(
    file: bytes | BinaryIO,
    *,
    rate_hz: int = RECOGNITION_RATE_HZ,
    limit_bytes: int = 25 * 1024 * 1024,
    limit_s: float = 3600.0,
    limit_cpu_s: float = 60.0,
    tally: Tally | None = None,
) -> Iterator[Samples]:
    """Decode an audio file block by block: float32[n_samples] mono at `rate_hz`, each of about a second.

    file: bytes, or a seekable file open for reading; it is left open.
    limit_bytes, limit_s, limit_cpu_s: a file is refused if it is larger, lasts longer however well
    compressed, or takes more CPU time of this thread to decode. Decoding stops at the latest when a limit is
    reached.
    tally: counts what was skipped.

    Raises:
        AudioOverLimit: over a limit, or with more than 16 channels, or a rate outside 4 000..192 000 Hz.
        AudioRejected: damaged, of an unknown format or codec, or without audio.
    """
    opened = io.BytesIO(file) if isinstance(file, bytes) else file
    if (size := opened.seek(0, io.SEEK_END)) > limit_bytes:
        raise AudioOverLimit("bytes", limit_bytes, f"The file has {size} bytes; send at most {limit_bytes}.")
    opened.seek(0)
    decoding = Decoding(rate_hz, limit_s=limit_s, limit_cpu_s=limit_cpu_s, tally=tally)
    try:
        with open_audio(opened) as container:
            stream = audio_stream(container)
            if (claimed_s := stated_duration_s(container)) and claimed_s > limit_s:
                raise _too_long(limit_s)
            yield from decoding.blocks(container, stream)
    except AudioRejected:
        raise
    except damage() as error:
        raise _unreadable(error) from error
    if not decoding.n_samples:
        raise AudioRejected("The file holds no audio; record it again.")


def decode_flac(file: bytes) -> tuple[bytes, int]:
    """Return the mono s16le bytes and the sample rate in Hz of a file made by `encode_flac`.

    Raises:
        AudioRejected: damaged, or not 16-bit mono FLAC.
    """
    try:
        with open_audio(io.BytesIO(file), container="flac") as container:
            stream = container.streams.audio[0]
            context = stream.codec_context
            if not context.format or context.format.name not in ("s16", "s16p") or context.channels != 1:
                raise AudioRejected("Not a 16-bit mono FLAC file; use `decode` for other files.")
            return b"".join(_s16le_of(frame) for frame in container.decode(stream)), context.sample_rate
    except damage() as error:
        raise AudioRejected(f"The FLAC file is damaged ({reason(error)}); fetch it again.") from error


def _s16le_of(frame: av.AudioFrame) -> memoryview:
    """Return the samples of a mono 16-bit frame without a copy and without the padding of its plane."""
    samples = np.frombuffer(memoryview(frame.planes[0]), np.int16, frame.samples)
    return samples.astype("<i2", copy=False).data


def open_audio(file: BinaryIO, *, container: str | None = None, is_live: bool = False) -> InputContainer:
    """Open `file` for demuxing; nothing but these bytes is ever read.

    container: the file's format, if it is known and need not be guessed.
    is_live: the file is still being written, so no more of it is read ahead than is needed.

    Raises:
        av.FFmpegError: the format is unknown or differs from `container`.
    """
    import av

    _bound_allocations()
    options = {**_OPENING, **(_OPENING_LIVE if is_live else {})}
    return av.open(file, "r", format=container, options=options, metadata_errors="replace")


@cache
def _bound_allocations() -> None:
    """Let FFmpeg allocate no piece of memory above `ALLOCATION_BYTES`, in this process from now on.

    A header may state any number of frames: 10 kB of MP4 made a table of 1 GB. PyAV has no such setting, so
    the library that its wheel carries is asked itself. A PyAV that was built otherwise stays as it is.
    Source: FFmpeg, libavutil/mem.h, av_max_alloc.
    """
    import av

    for library in (Path(av.__file__).parent.parent / "av.libs").glob("libavutil*.so*"):
        ctypes.CDLL(str(library)).av_max_alloc(ctypes.c_size_t(ALLOCATION_BYTES))


def audio_stream(container: InputContainer) -> AudioStream:
    """Return the first audio track.

    Raises:
        AudioOverLimit: a number of channels or a sample rate outside the limits.
        AudioRejected: no audio track, or its codec is not supported.
    """
    if not container.streams.audio:
        raise AudioRejected("The file holds no audio track; send a recording.")
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None or context.name not in READABLE_CODECS:
        name = context.name if context else "unknown"
        raise AudioRejected(f"The codec {name!r} is not read; send WAV, FLAC, MP3, Opus or M4A.")
    if context.sample_rate:  # 0 if only the first frame tells the rate
        _check_shape(context.sample_rate, context.layout.nb_channels)
    context.options = {**context.options, "max_samples": str(FRAME_SAMPLES_LIMIT)}
    return stream


def stated_duration_s(container: InputContainer) -> float | None:
    """Return the duration in seconds that the file states; None if it states none or only estimates it."""
    is_stated = not _FORMATS_WITH_DURATION.isdisjoint(container.format.name.split(","))
    return container.duration / 1e6 if is_stated and container.duration else None


def damage() -> tuple[type[Exception], ...]:
    """Return what PyAV raises for damaged files: FFmpeg's errors, and its own for contradictory headers."""
    import av

    return (av.FFmpegError, ValueError, OverflowError, IndexError)


def reason(error: Exception) -> str:
    """Return FFmpeg's short description of a failure."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class Decoding:
    """Converts frames of any shape to samples at one rate, within limits."""

    def __init__(
        self,
        rate_hz: int,
        *,
        limit_s: float = math.inf,
        limit_cpu_s: float = math.inf,
        block_s: float = 1.0,
        tally: Tally | None = None,
    ) -> None:
        self._tally = tally or Tally()
        self._n_damaged = 0
        self.n_samples = 0
        self._rate_hz = rate_hz
        self._block_bytes = 4 * int(block_s * rate_hz)
        self._limit_s = limit_s
        self._limit_cpu_s = limit_cpu_s
        self._cpu_s = 0.0
        self._shape: tuple[int, str, str] | None = None
        self._converter: av.AudioResampler | None = None
        self._downmix: Downmix | None = None
        self._resampler = Resampler(rate_hz, rate_hz)
        self._block = bytearray()

    def blocks(self, container: InputContainer, stream: AudioStream) -> Iterator[Samples]:
        """Yield the samples of all frames, in blocks of at least `block_s`, but for the last."""
        packets = self._packets(container, stream)
        while True:
            began_at = time.thread_time()  # what the reader of the blocks does is not counted
            frames = next(packets, None)
            for frame in frames or ():
                self._add(frame)
            self._cpu_s += time.thread_time() - began_at
            self._check_time()
            if frames is None:
                break
            if len(self._block) >= self._block_bytes:
                yield self._ready()
        self._flush()
        if self._block:
            yield self._ready()

    def _packets(self, container: InputContainer, stream: AudioStream) -> Iterator[list[av.AudioFrame]]:
        """Yield the frames of each packet."""
        import av

        n_packets = 0
        for packet in container.demux(stream):
            n_packets += 1
            try:
                yield packet.decode()
            except av.FFmpegError:  # also what FFmpeg takes for its own defect: the bytes caused it
                self._skip(packet)
                yield []
        if self._n_damaged > max(_DAMAGED_COUNT, _DAMAGED_SHARE * n_packets):
            detail = f"{self._n_damaged} of {n_packets} frames are damaged"
            raise AudioRejected(f"The file cannot be read as audio ({detail}); record it again.")

    def _skip(self, packet: av.Packet) -> None:
        """Count a frame that is not decoded, and put silence in its place."""
        self._tally.skipped_frames += 1
        codec = packet.stream.codec_context.name
        if packet.size > _COMFORT_NOISE_BYTES.get(codec, -1):
            self._n_damaged += 1
        seconds = float((packet.duration or 0) * (packet.time_base or 0))
        if self._shape is not None and 0 < seconds <= _LONGEST_SKIP_S:
            self._keep(np.zeros(round(seconds * self._rate_hz), np.float32))

    def _check_time(self) -> None:
        if self._cpu_s > self._limit_cpu_s:
            raise AudioOverLimit(
                "cpu_seconds",
                self._limit_cpu_s,
                f"The recording takes over {self._limit_cpu_s:g} s to decode; send a shorter or simpler one.",
            )

    def _add(self, frame: av.AudioFrame) -> None:
        shape = (frame.sample_rate, frame.layout.name, frame.format.name)
        if shape != self._shape:
            _check_shape(frame.sample_rate, frame.layout.nb_channels)
            self._flush()
            self._shape, self._converter = shape, to_floats()
            self._downmix = Downmix(frame.sample_rate)
            self._resampler = Resampler(frame.sample_rate, self._rate_hz)
        if self.n_samples / self._rate_hz + frame.samples / frame.sample_rate > self._limit_s:
            raise _too_long(self._limit_s)
        assert self._converter is not None
        assert self._downmix is not None
        frame.pts = None  # FFmpeg would fill gaps between timestamps with silence
        for part in self._converter.resample(frame):
            interleaved = np.clip(np.nan_to_num(part.to_ndarray()), -1.0, 1.0)
            channels = interleaved.reshape(part.samples, -1).T
            self._keep(self._resampler.feed(self._downmix.mix(channels)))

    def _flush(self) -> None:
        self._keep(self._resampler.finish())

    def _keep(self, samples: Samples) -> None:
        self._block += np.clip(samples, -1.0, 1.0).astype(np.float32, copy=False).data
        self.n_samples += len(samples)

    def _ready(self) -> Samples:
        block, self._block = self._block, bytearray()
        return np.frombuffer(block, np.float32)


def _check_shape(rate_hz: int, channels: int) -> None:
    if rate_hz not in RATES_HZ:
        raise AudioOverLimit(
            "sample_rate_hz",
            RATES_HZ[-1],
            f"A sample rate of {rate_hz} Hz is not read; send {RATES_HZ[0]} to {RATES_HZ[-1]} Hz.",
        )
    if not 1 <= channels <= CHANNELS_LIMIT:
        raise AudioOverLimit(
            "channels", CHANNELS_LIMIT, f"{channels} channels are not read; send at most {CHANNELS_LIMIT}."
        )


def _too_long(limit_s: float) -> AudioOverLimit:
    return AudioOverLimit("seconds", limit_s, f"The recording lasts over {limit_s:g} s; send a shorter one.")


def _unreadable(error: Exception) -> AudioRejected:
    return AudioRejected(
        f"The file cannot be read as audio ({reason(error)}); send WAV, FLAC, MP3, Opus or M4A."
    )
