"""Decode a container that arrives in pieces, such as what a browser's MediaRecorder sends.

    decoder = LiveDecoder("WebM", rate_hz=16_000)
    for samples in decoder.feed(piece): ...           # float32[n_samples], as far as they are known
    for samples in decoder.finish(): ...
    decoder.close()

FFmpeg asks for bytes and does not return before it has some, so it runs in a thread of its own. The two
threads take turns: nothing is decoded ahead of the reader.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import BinaryIO, Final, cast

from voice.audio.decoding import Decoding, audio_stream, damage, open_audio, reason
from voice.errors import AudioRejected
from voice.types import Samples

_DEMUXERS: Final = {
    "WebM": "matroska",
    "Ogg": "ogg",
    "MP4": "mov",
    "FLAC": "flac",
    "WAV": "wav",
    "MP3": "mp3",
    "AMR": "amr",
    "AIFF": "aiff",
    "CAF": "caf",
    "FLV": "flv",
    "ASF": "asf",
}
_BLOCK_S: Final = 0.02


class LiveDecoder:
    """One stream. `close` must be called at the end; further pieces are then dropped. Not thread-safe."""

    def __init__(self, container: str, *, rate_hz: int) -> None:
        """
        container: a name of `voice.audio.signatures`.
        """
        self.container = container
        self._rate_hz = rate_hz
        self._waiting = b""
        self._is_last = False
        self._ready: Samples | None = None
        self._error: AudioRejected | None = None
        self._has_ended = False
        self._turn_of_decoder = threading.Semaphore(0)
        self._turn_of_reader = threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    def feed(self, piece: bytes) -> Iterator[Samples]:
        """Yield the samples that are known with these bytes.

        Raises:
            AudioRejected: damaged, no audio, or not readable while it arrives.
        """
        if self._has_ended:
            return
        self._waiting += piece
        yield from self._decoded()

    def finish(self) -> Iterator[Samples]:
        """Yield the rest: no more bytes come.

        Raises:
            AudioRejected: as `feed`.
        """
        self._is_last = True
        yield from self._decoded()

    def close(self) -> None:
        """End the thread."""
        self._is_last, self._waiting = True, b""
        while self._thread is not None and not self._has_ended:
            self._take_turns()

    def _decoded(self) -> Iterator[Samples]:
        """Let the decoder work until it needs bytes, or has ended."""
        while not self._has_ended:
            self._take_turns()
            if self._error:
                raise self._error
            if self._ready is None:
                return
            yield self._ready

    def _take_turns(self) -> None:
        self._ready = None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="live-decoding", daemon=True)
            self._thread.start()
        self._turn_of_decoder.release()
        self._turn_of_reader.acquire()

    # --- In the decoder's thread ------------------------------------------------------------------

    def _read(self, n_bytes: int) -> bytes:
        """Return up to `n_bytes`, none at the end."""
        while not self._waiting and not self._is_last:
            self._hand_over()
        piece, self._waiting = self._waiting[:n_bytes], self._waiting[n_bytes:]
        return piece

    def _run(self) -> None:
        self._turn_of_decoder.acquire()
        try:
            self._decode()
        except AudioRejected as error:
            self._error = error
        except damage() as error:
            self._error = self._unreadable(error)
        finally:
            self._has_ended = True
            self._turn_of_reader.release()

    def _decode(self) -> None:
        decoding = Decoding(self._rate_hz, block_s=_BLOCK_S)
        file = cast("BinaryIO", SimpleNamespace(read=self._read))
        with open_audio(file, container=_DEMUXERS[self.container], is_live=True) as container:
            for block in decoding.blocks(container, audio_stream(container)):
                self._ready = block
                self._hand_over()

    def _hand_over(self) -> None:
        self._turn_of_reader.release()
        self._turn_of_decoder.acquire()

    def _unreadable(self, error: Exception) -> AudioRejected:
        advice = "record it with MediaRecorder, or send the file over REST."
        return AudioRejected(
            f"This {self.container} cannot be read while it arrives ({reason(error)}); {advice}"
        )
