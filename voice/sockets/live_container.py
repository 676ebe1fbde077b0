"""A stream of `/ws/asr` that is a container, such as WebM of a browser's MediaRecorder."""

import asyncio
import time
from collections.abc import Iterator

from django.conf import settings

from voice.audio import pcm
from voice.audio.decoding import AudioOverLimit
from voice.audio.live_decoding import LiveDecoder
from voice.errors import AudioRejected
from voice.live.transcriber import Transcriber
from voice.types import RECOGNITION_RATE_HZ, Samples


class LiveContainer:
    """Decodes one stream for a transcriber. After an error the rest of the stream is dropped."""

    def __init__(self, name: str, transcriber: Transcriber) -> None:
        self._decoder = LiveDecoder(name, rate_hz=RECOGNITION_RATE_HZ)
        self._transcriber = transcriber
        self._began_at = time.monotonic()
        self._decoded_s = 0.0
        self._is_refused = False

    async def feed(self, data: bytes) -> None:
        """Transcribe what these bytes hold.

        Raises:
            AudioRejected: not readable, or so much more than has passed in time that it is no stream.
        """
        if not self._is_refused:
            await self._transcribe(self._decoder.feed(data))

    async def finish(self) -> None:
        """Transcribe the rest.

        Raises:
            AudioRejected: as `feed`.
        """
        try:
            if not self._is_refused:
                await self._transcribe(self._decoder.finish())
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop decoding."""
        await asyncio.to_thread(self._decoder.close)

    async def _transcribe(self, blocks: Iterator[Samples]) -> None:
        try:
            while (samples := await asyncio.to_thread(next, blocks, None)) is not None:
                self._check_pace(samples)
                await self._transcriber.feed(pcm.s16le_from_samples(samples))
        except AudioRejected:
            self._is_refused = True
            raise

    def _check_pace(self, samples: Samples) -> None:
        """Refuse a few bytes that stand for hours: no stream may be ahead of time for longer than a file."""
        self._decoded_s += len(samples) / RECOGNITION_RATE_HZ
        limit_s = settings.VOICE["MAX_AUDIO_S"]
        if self._decoded_s - (time.monotonic() - self._began_at) > limit_s:
            detail = f"The stream is over {limit_s:g} s ahead of time; send it as it is recorded."
            raise AudioOverLimit("seconds", limit_s, detail)
