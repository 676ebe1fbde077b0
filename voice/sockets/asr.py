"""`/ws/asr`: PCM or a container in pieces in, live transcript out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from voice.audio import pcm, resampling, signatures
from voice.audio.pcm import PEAK_LIMIT
from voice.errors import AudioRejected, RequestRefused
from voice.live.transcriber import Transcriber
from voice.live.utterances import MAX_SILENCE_MS, MIN_SILENCE_MS
from voice.service.requests import TranscriptionRequest
from voice.sockets import messages
from voice.sockets.base import VoiceConsumer
from voice.sockets.live_container import LiveContainer
from voice.sockets.messages import Message
from voice.types import RECOGNITION_RATE_HZ, Samples

READERS: Mapping[str, Callable[[bytes], Samples]] = {
    "int16": pcm.samples_from_s16le,
    "float32": pcm.samples_from_f32le,
}
"""How binary messages are decoded, by `encoding`."""
SAMPLE_BYTES = {"int16": 2, "float32": 4}
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 48_000
MAX_MODEL_CHARS = 100


@dataclass(frozen=True, slots=True)
class Config:
    """The client's audio format and the messages that it wants."""

    sample_rate: int = RECOGNITION_RATE_HZ
    encoding: str = "int16"
    language: str = ""
    hot_words: str = ""
    interim: bool = True
    silence_ms: int = 600

    @classmethod
    def checked(cls, message: Message, before: Self) -> Self:
        """Return `before` with the changes of the message.

        Raises:
            RequestRefused: a value of another type or out of its range.
        """
        request = TranscriptionRequest.checked(
            language=message.get("language", before.language),
            hot_words=message.get("hot_words", before.hot_words),
        )
        encoding = message.get("encoding", before.encoding)
        if not isinstance(encoding, str) or encoding not in READERS:
            raise RequestRefused("encoding", f"send one of {', '.join(READERS)}.")
        model = message.get("model")  # accepted without effect: the operator chooses the model
        if model is not None and (not isinstance(model, str) or len(model) > MAX_MODEL_CHARS):
            raise RequestRefused("model", f"send a string of at most {MAX_MODEL_CHARS} characters.")
        return cls(
            sample_rate=messages.whole_number(
                message, "sample_rate", before.sample_rate, MIN_RATE_HZ, MAX_RATE_HZ
            ),
            encoding=encoding,
            language=request.language,
            hot_words=request.hot_words,
            interim=messages.boolean(message, "interim", before.interim),
            silence_ms=messages.whole_number(
                message, "silence_ms", before.silence_ms, MIN_SILENCE_MS, MAX_SILENCE_MS
            ),
        )


class AsrConsumer(VoiceConsumer):
    """Transcribes one stream. Frames are handled in order, so a client that sends faster must wait."""

    socket_name = "asr"
    field_names = {"prompt": "hot_words"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._config = Config()
        self._resampler = resampling.Resampler(RECOGNITION_RATE_HZ, RECOGNITION_RATE_HZ)
        self._transcriber = Transcriber(self)
        self._held = b""  # the first bytes of a stream until they tell what it is, then part of a sample
        self._is_pcm: bool | None = None  # None before the stream has begun
        self._container: LiveContainer | None = None

    def handlers(self) -> Mapping[str, Callable[[Message], Awaitable[None]]]:
        return {"config": self._configure, "end": self._end}

    async def binary(self, data: bytes) -> None:
        if not data:
            raise AudioRejected("An empty message holds no audio.")
        data, self._held = self._held + data, b""
        if self._is_pcm is None:
            self._recognise_container(data)
        if self._container is not None:
            await self._container.feed(data)
        elif self._is_pcm:
            await self._feed_pcm(data)
        else:
            self._held = data

    def _recognise_container(self, head: bytes) -> None:
        """Find out what the stream is, once enough of it has come."""
        if name := signatures.container_of(head):
            self._is_pcm, self._container = False, LiveContainer(name, self._transcriber)
        elif len(head) >= signatures.LONGEST_BYTES:
            self._is_pcm = True

    async def _feed_pcm(self, data: bytes) -> None:
        """Transcribe whole samples; part of a sample waits for the next message."""
        whole = len(data) - len(data) % SAMPLE_BYTES[self._config.encoding]
        data, self._held = data[:whole], data[whole:]
        if self._config.encoding == "int16" and self._config.sample_rate == RECOGNITION_RATE_HZ:
            await self._transcriber.feed(data)
        else:
            samples = self._resampler.feed(_checked(READERS[self._config.encoding](data)))
            await self._transcriber.feed(pcm.s16le_from_samples(samples))

    async def _configure(self, message: Message) -> None:
        config = Config.checked(message, self._config)
        if config.sample_rate != self._config.sample_rate:
            await self._flush()
            self._resampler = resampling.Resampler(config.sample_rate, RECOGNITION_RATE_HZ)
        if self._is_pcm and config.encoding != self._config.encoding:
            self._held = b""  # part of a sample that no longer continues
        self._config = config
        self._transcriber.configure(
            TranscriptionRequest(language=config.language, hot_words=config.hot_words),
            has_captions=config.interim,
            silence_ms=config.silence_ms,
        )
        await self.say(
            "configured",
            sample_rate=config.sample_rate,
            encoding=config.encoding,
            language=config.language,
            interim=config.interim,
            silence_ms=config.silence_ms,
        )

    async def _end(self, message: Message) -> None:
        await self._end_stream()
        self._resampler = resampling.Resampler(self._config.sample_rate, RECOGNITION_RATE_HZ)
        await self._transcriber.end()

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        if self._container is not None:
            await self._container.close()

    async def _end_stream(self) -> None:
        """Transcribe what is held of the stream; another one may follow."""
        container, held, is_pcm = self._container, self._held, self._is_pcm
        self._container, self._held, self._is_pcm = None, b"", None
        if container is not None:
            await container.finish()
        elif not is_pcm and held:  # too short to be anything but PCM
            await self._feed_pcm(held)
        self._held = b""
        await self._flush()

    async def _flush(self) -> None:
        """Transcribe the rest of the resampler's buffer."""
        await self._transcriber.feed(pcm.s16le_from_samples(self._resampler.finish()))


def _checked(samples: Samples) -> Samples:
    """Return the samples if they are audio.

    Raises:
        AudioRejected: far beyond full scale.
    """
    if len(samples) and float(abs(samples).max()) > PEAK_LIMIT:
        raise AudioRejected("The floats exceed -1..1 by far; divide integer samples by 32768 first.")
    return samples
