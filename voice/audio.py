"""Audio as numbers and as files: PCM, sample rates, decoding with limits, FLAC, WAV and other containers.

Inside the platform audio is `float32[n_samples]`, mono, -1..1, or signed 16-bit little-endian PCM (s16le).
PyAV (FFmpeg) is imported by the functions that need it: web processes that only convert PCM stay small.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal, cast

import numpy as np

from voice.engines.base import RECOGNITION_RATE_HZ, AudioRejected, Samples

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

SAMPLE_BYTES: Final = 2
FULL_SCALE: Final = 32768.0

# What recorders, browsers and telephones write.  FFmpeg knows hundreds more, among them playlists,
# which would make this server open the addresses and files that they name.
READABLE_FORMATS: Final = "aac,aiff,amr,asf,au,caf,flac,matroska,mov,mp3,mpegts,ogg,wav,w64"

Container = Literal["wav", "flac", "mp3", "opus"]
_ENCODERS: Final[dict[str, tuple[str, str]]] = {
    "flac": ("flac", "flac"),
    "mp3": ("mp3", "libmp3lame"),
    "opus": ("ogg", "libopus"),
}
OPUS_RATE_HZ: Final = 48_000  # Opus takes 8, 12, 16, 24 and 48 kHz only.  Source: RFC 6716, section 2


def samples_from_s16le(pcm: bytes | bytearray | memoryview) -> Samples:
    """float32[len(pcm) / 2] of s16le bytes.

    Raises:
        AudioRejected: an odd number of bytes.
    """
    if len(pcm) % SAMPLE_BYTES:
        raise AudioRejected(f"{len(pcm)} bytes are no whole number of 16-bit samples; send an even number.")
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(FULL_SCALE)


def s16le_from_samples(samples: Samples) -> bytes:
    """s16le bytes of float32[n_samples]; what exceeds -1..1 is clipped."""
    scaled = np.rint(np.asarray(samples, np.float32) * np.float32(FULL_SCALE))
    return np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()


def samples_from_f32le(pcm: bytes | bytearray | memoryview) -> Samples:
    """float32[len(pcm) / 4] of little-endian 32-bit floats.

    Raises:
        AudioRejected: a number of bytes that is no multiple of four, or a value that is NaN or infinite.
    """
    if len(pcm) % 4:
        raise AudioRejected(
            f"{len(pcm)} bytes are no whole number of 32-bit samples; send a multiple of four."
        )
    samples = np.frombuffer(pcm, "<f4").astype(np.float32)
    if not np.isfinite(samples).all():
        raise AudioRejected("The audio holds NaN or infinity; send finite floats between -1 and 1.")
    return samples


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """float32[about n_samples * to_hz / from_hz]: a whole piece at another rate.

    Raises:
        AudioRejected: a rate outside 4 000..192 000 Hz.
    """
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.feed(samples), resampler.finish()])


class Resampler:
    """A stream at another rate: pieces in, pieces out, no seams between them."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """
        Raises:
            AudioRejected: a rate outside 4 000..192 000 Hz.
        """
        for rate_hz in (from_hz, to_hz):
            if not 4_000 <= rate_hz <= 192_000:
                raise AudioRejected(f"{rate_hz} Hz is no usual sample rate; use 8000 to 48000.")
        self._from_hz = from_hz
        self._converter = None if from_hz == to_hz else _converter(to_hz)

    def feed(self, samples: Samples) -> Samples:
        """float32[]: what can be computed so far."""
        if self._converter is None or not len(samples):
            return samples
        return _joined(self._converter.resample(_frame(samples, self._from_hz)))

    def finish(self) -> Samples:
        """float32[]: the rest."""
        return np.zeros(0, np.float32) if self._converter is None else _joined(self._converter.resample(None))


def decode(
    file: bytes,
    *,
    rate_hz: int = RECOGNITION_RATE_HZ,
    limit_bytes: int = 25 * 1024 * 1024,
    limit_s: float = 3600.0,
) -> Samples:
    """float32[n_samples] mono at `rate_hz` of an audio file (or a video's audio) in any usual format.

    limit_bytes, limit_s: a larger file, or a longer recording however well compressed, is refused.

    Raises:
        AudioRejected: too large, too long, damaged, of an unknown format, or without audio.
    """
    if len(file) > limit_bytes:
        raise AudioRejected(f"The file has {len(file)} bytes; send at most {limit_bytes}.")
    import av

    converter, limit_samples = _converter(rate_hz), int(limit_s * rate_hz)
    pieces: list[Samples] = []
    n_samples = 0
    try:
        with _opened(file) as container:
            for frame in _frames(container):
                pieces.append(_joined(converter.resample(frame)))
                n_samples += len(pieces[-1])
                if n_samples > limit_samples:
                    raise AudioRejected(f"The recording lasts over {limit_s:g} s; send a shorter one.")
        pieces.append(_joined(converter.resample(None)))
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise AudioRejected(
            f"The file cannot be read as audio ({_reason(error)}); send WAV, FLAC, MP3, Opus or M4A."
        ) from error
    samples = np.concatenate(pieces)
    if not len(samples):
        raise AudioRejected("The file holds no audio; record it again.")
    return np.clip(np.nan_to_num(samples), -1.0, 1.0)


def encode_flac(pcm: bytes, *, rate_hz: int = RECOGNITION_RATE_HZ) -> bytes:
    """A FLAC file of mono s16le `pcm`, lossless: `decode_flac` gives the same bytes back.

    Raises:
        AudioRejected: an odd number of bytes, or none.
    """
    if len(pcm) % SAMPLE_BYTES or not pcm:
        raise AudioRejected(f"{len(pcm)} bytes are no 16-bit audio; send an even number, and some.")
    return _encoded(pcm, rate_hz, container="flac", codec="flac")


def decode_flac(file: bytes) -> tuple[bytes, int]:
    """The mono s16le bytes and the sample rate in Hz of a file made by `encode_flac`.

    Raises:
        AudioRejected: damaged, or not 16-bit mono FLAC.
    """
    import av

    try:
        with _opened(file) as container:
            stream = container.streams.audio[0]
            if stream.codec_context.format.name not in ("s16", "s16p") or stream.codec_context.channels != 1:
                raise AudioRejected("Not a 16-bit mono FLAC file; use `decode` for other files.")
            pcm = b"".join(frame.to_ndarray().astype("<i2").tobytes() for frame in _frames(container))
            return pcm, stream.codec_context.sample_rate
    except (av.FFmpegError, IndexError) as error:
        raise AudioRejected(f"The FLAC file is damaged ({_reason(error)}); fetch it again.") from error


def encode_wav(pcm: bytes, *, rate_hz: int = RECOGNITION_RATE_HZ) -> bytes:
    """A WAV file of mono s16le `pcm`.

    Source: Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF WAVE, format tag 1).
    """
    layout = struct.pack("<HHIIHH", 1, 1, rate_hz, rate_hz * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", len(pcm)) + pcm
    return b"RIFF" + struct.pack("<I", len(body)) + body


def encode(samples: Samples, *, rate_hz: int, container: Container) -> bytes:
    """A file of float32[n_samples] mono as WAV or FLAC (16 bit), MP3, or Opus in Ogg (at 48 000 Hz).

    Raises:
        AudioRejected: no samples, or a rate the format does not take.
    """
    if not len(samples):
        raise AudioRejected("There is no audio to encode.")
    if container == "wav":
        return encode_wav(s16le_from_samples(samples), rate_hz=rate_hz)
    if container == "flac":
        return encode_flac(s16le_from_samples(samples), rate_hz=rate_hz)
    if container == "opus" and rate_hz != OPUS_RATE_HZ:
        samples, rate_hz = resample(samples, rate_hz, OPUS_RATE_HZ), OPUS_RATE_HZ
    file_format, codec = _ENCODERS[container]
    return _encoded(s16le_from_samples(samples), rate_hz, container=file_format, codec=codec)


def _opened(file: bytes) -> InputContainer:
    import av

    # The file itself comes from memory; "no protocol" keeps FFmpeg from opening anything that it may refer
    # to.
    options = {"format_whitelist": READABLE_FORMATS, "protocol_whitelist": "none"}
    return av.open(io.BytesIO(file), "r", options=options)


def _frames(container: InputContainer) -> Iterator[av.AudioFrame]:
    if not container.streams.audio:
        raise AudioRejected("The file holds no audio track; send a recording.")
    return container.decode(container.streams.audio[0])


def _converter(to_hz: int) -> av.AudioResampler:
    import av

    return av.AudioResampler("flt", "mono", to_hz)


def _frame(samples: Samples, rate_hz: int) -> av.AudioFrame:
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32)[None], "flt", "mono")
    frame.sample_rate = rate_hz
    return frame


def _joined(frames: list[av.AudioFrame]) -> Samples:
    arrays = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate(arrays) if arrays else np.zeros(0, np.float32)


def _encoded(pcm: bytes, rate_hz: int, *, container: str, codec: str) -> bytes:
    import av

    file = io.BytesIO()
    try:
        with av.open(file, "w", format=container) as output:
            stream = cast("av.AudioStream", output.add_stream(codec, rate=rate_hz, layout="mono"))
            frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2")[None], "s16", "mono")
            frame.sample_rate = rate_hz
            output.mux([*stream.encode(frame), *stream.encode(None)])
    except (av.FFmpegError, ValueError) as error:
        raise AudioRejected(
            f"{codec} cannot encode {rate_hz} Hz ({_reason(error)}); choose another rate."
        ) from error
    return file.getvalue()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
