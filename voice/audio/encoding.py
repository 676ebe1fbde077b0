"""Audio files, whole or as a stream while the speech is still being synthesised.

    encoder = Encoder("mp3", 24_000)
    for pcm in speech:                    # s16le, pieces of any size
        send(encoder.feed(pcm))           # may be empty: codecs work in frames of 20 to 100 ms
    send(encoder.finish())

One class writes both. A stream cannot be sought in, so its headers leave the length open; the headers of a
whole file hold it (ADTS and plain PCM have none).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, cast

import numpy as np

from voice.audio.decoding import reason
from voice.audio.pcm import SAMPLE_BYTES
from voice.audio.resampling import RATES_HZ
from voice.errors import AudioRejected
from voice.types import RECOGNITION_RATE_HZ

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

Container = Literal["wav", "flac", "mp3", "opus", "aac", "pcm"]

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "pcm": "audio/pcm",
}

# The length in a WAV file when it is not known yet: players read to the end. Source: EBU Tech 3306 (RF64),
# section 3.
UNKNOWN_LENGTH: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Codec:
    """How FFmpeg writes a format.

    rates_hz: the sample rates that the codec accepts, ascending; empty means any.
    muxing: options of the container.
    coding: options of the codec.
    whole: further options of the codec for a whole file, which is played only when it is complete.
    """

    container: str
    codec: str
    bit_rate: int | None = None
    rates_hz: tuple[int, ...] = ()
    muxing: Mapping[str, str] = field(default_factory=dict)
    coding: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)


# Bit rates are for one voice. Rates: RFC 6716 (Opus), ISO 11172-3 and 13818-3 with MPEG 2.5 (MP3), ISO
# 14496-3.
_CODECS: Final[Mapping[str, _Codec]] = {
    # Level 2 cuts frames of 27 ms and predicts without multiplying. A whole file has longer frames, and tries
    # the two orders of prediction that fit speech instead of five. Together this takes three fifths of the
    # work of level 5, for writing and for reading, at 8 % more bytes. Every player accepts up to 4608 samples
    # (RFC 9639, section 7). The padding is for tags added later; we add none.
    "flac": _Codec(
        "flac",
        "flac",
        muxing={"metadata_header_padding": "0"},
        coding={"compression_level": "2"},
        whole={"frame_size": "4096", "min_prediction_order": "1", "max_prediction_order": "2"},
    ),
    "mp3": _Codec(
        "mp3",
        "libmp3lame",
        bit_rate=64_000,
        rates_hz=(8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    ),
    "opus": _Codec(
        "ogg",
        "libopus",
        bit_rate=32_000,
        rates_hz=(8_000, 12_000, 16_000, 24_000, 48_000),
        muxing={"page_duration": "20000"},  # microseconds: one packet
    ),
    "aac": _Codec(
        "adts",
        "aac",
        bit_rate=64_000,
        rates_hz=(
            *(7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000),
            *(32_000, 44_100, 48_000, 64_000, 88_200, 96_000),
        ),
    ),
}


class Encoder:
    """Encodes mono s16le to a file, piece by piece; the result does not depend on how the PCM is cut.

    Buffers no more than a codec's frame and the current piece. Not thread-safe.
    """

    def __init__(self, container: Container, rate_hz: int, *, file: BinaryIO | None = None) -> None:
        """
        container: "wav", "flac", "mp3", "opus" (Ogg), "aac" (ADTS) or "pcm" (plain s16le).
        rate_hz: of the PCM; a codec that does not accept it gets the next higher rate that it accepts.
        file: written to instead of returning bytes; it must be seekable, so that headers hold the length.

        Raises:
            AudioRejected: an unknown format, or a rate outside 4 000..192 000 Hz.
        """
        if container not in MEDIA_TYPES:
            raise AudioRejected(f"{container!r} is no format; choose one of {', '.join(MEDIA_TYPES)}.")
        if rate_hz not in RATES_HZ:
            raise AudioRejected(f"{rate_hz} Hz cannot be encoded; choose {RATES_HZ[0]} to {RATES_HZ[-1]} Hz.")
        self._rate_hz = rate_hz
        self._sink = _Sink()
        self._odd_byte = b""
        self._n_samples = 0
        self._is_finished = False
        target = file or self._sink
        self._coder: _Coder | _PlainCoder
        if container in _CODECS:
            self._coder = _Coder(_CODECS[container], rate_hz, target, is_stream=file is None)
        else:
            self._coder = _PlainCoder(rate_hz, target, has_header=container == "wav", is_stream=file is None)

    def feed(self, pcm: bytes) -> bytes:
        """Return the bytes that can be written so far; half a sample is buffered until its other half comes.

        Raises:
            AudioRejected: the codec failed, or the file is finished.
        """
        if self._is_finished:
            raise AudioRejected("The file is finished; begin another one.")
        pcm = self._odd_byte + pcm if self._odd_byte else pcm
        whole = len(pcm) - len(pcm) % SAMPLE_BYTES
        self._odd_byte = pcm[whole:]
        self._coder.write(pcm[:whole])
        self._n_samples += whole // SAMPLE_BYTES
        return self._sink.drain()

    def finish(self) -> bytes:
        """Return the rest of the file.

        Raises:
            AudioRejected: no audio was fed, half a sample is left over, or the codec failed.
        """
        if self._odd_byte or not self._n_samples:
            raise AudioRejected("No 16-bit audio was given; send an even number of bytes, and some.")
        if not self._is_finished:
            self._coder.close()
        self._is_finished = True
        return self._sink.drain()


def encode_flac(pcm: bytes, *, rate_hz: int = RECOGNITION_RATE_HZ) -> bytes:
    """Encode mono s16le `pcm` as FLAC, lossless: `decode_flac` gives the same bytes back.

    Raises:
        AudioRejected: an odd number of bytes, or none.
    """
    file = io.BytesIO()
    encoder = Encoder("flac", rate_hz, file=file)
    encoder.feed(pcm)
    encoder.finish()
    return file.getvalue()


def wav_header(rate_hz: int, pcm_bytes: int | None) -> bytes:
    """Return the 44 bytes before mono s16le PCM of `pcm_bytes` bytes; None leaves the length open.

    Source: Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF WAVE, format tag 1).
    """
    layout = struct.pack("<HHIIHH", 1, 1, rate_hz, rate_hz * SAMPLE_BYTES, SAMPLE_BYTES, 16)
    length = UNKNOWN_LENGTH if pcm_bytes is None else pcm_bytes
    body = b"WAVEfmt " + struct.pack("<I", len(layout)) + layout + b"data" + struct.pack("<I", length)
    return b"RIFF" + struct.pack("<I", min(UNKNOWN_LENGTH, length + len(body))) + body


class _Sink:
    """An append-only file: it cannot seek, so FFmpeg does not go back to a header."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, piece: bytes) -> int:
        self._written += piece
        return len(piece)

    def drain(self) -> bytes:
        """Return the bytes written since the last call, and forget them."""
        piece = bytes(self._written)
        self._written.clear()
        return piece


class _PlainCoder:
    """Writes PCM as it is, behind a WAV header or none."""

    def __init__(self, rate_hz: int, file: BinaryIO | _Sink, *, has_header: bool, is_stream: bool) -> None:
        self._rate_hz = rate_hz
        self._file = file
        self._pcm_bytes = 0
        self._is_length_open = has_header and not is_stream
        if has_header:
            file.write(wav_header(rate_hz, None))

    def write(self, pcm: bytes) -> None:
        self._file.write(pcm)
        self._pcm_bytes += len(pcm)

    def close(self) -> None:
        if self._is_length_open:
            file = cast("BinaryIO", self._file)
            file.seek(0)
            file.write(wav_header(self._rate_hz, self._pcm_bytes))
            file.seek(0, io.SEEK_END)


class _Coder:
    """FFmpeg's encoder and muxer for one file."""

    def __init__(self, codec: _Codec, rate_hz: int, file: BinaryIO | _Sink, *, is_stream: bool) -> None:
        import av

        self._rate_hz = rate_hz
        self._name = codec.codec
        self._n_samples = 0
        muxing = {"flush_packets": "1", **codec.muxing}  # each packet is sent as soon as it is made
        self._output = av.open(cast("BinaryIO", file), "w", format=codec.container, options=muxing)
        options = {**codec.coding, **({} if is_stream else codec.whole)}
        coded_hz = _rate_for(codec.rates_hz, rate_hz)
        self._stream = cast(
            "AudioStream",
            self._output.add_stream(codec.codec, rate=coded_hz, layout="mono", options=options),
        )
        if codec.bit_rate:
            self._stream.bit_rate = codec.bit_rate

    def write(self, pcm: bytes) -> None:
        for frame in self._frames(pcm):
            self._mux(frame)

    def close(self) -> None:
        self._mux(None)
        self._output.close()

    def _frames(self, pcm: bytes) -> Iterator[AudioFrame]:
        import av

        step = self._rate_hz * SAMPLE_BYTES  # a second at a time
        for start in range(0, len(pcm), step):
            samples = np.frombuffer(pcm[start : start + step], "<i2")
            frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
            frame.sample_rate = self._rate_hz
            frame.pts = self._n_samples
            self._n_samples += len(samples)
            yield frame

    def _mux(self, frame: AudioFrame | None) -> None:
        import av

        try:
            self._output.mux(self._stream.encode(frame))
        except (av.FFmpegError, ValueError) as error:
            raise AudioRejected(
                f"{self._name} cannot encode {self._rate_hz} Hz ({reason(error)}); choose another rate."
            ) from error


def _rate_for(rates_hz: tuple[int, ...], rate_hz: int) -> int:
    return next((rate for rate in rates_hz if rate >= rate_hz), rates_hz[-1]) if rates_hz else rate_hz
