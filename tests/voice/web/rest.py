"""Helpers for tests of the speech service's REST API."""

import io
from typing import Any

import av
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient

from tests import factories
from tests.sounds import encode_wav


class KeyClient(AsyncClient):
    """A client that sends an API key with every request."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    def generic(self, *arguments: Any, headers: Any = None, **options: Any) -> Any:
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return super().generic(*arguments, headers=sent, **options)


def recording(seconds: float = 1.0, name: str = "answer.wav") -> SimpleUploadedFile:
    """An audio file that the fake recogniser does not treat as silence."""
    return SimpleUploadedFile(name, encode_wav(factories.tone(seconds)))


async def body_of(response: Any) -> bytes:
    """Return the whole response body, streamed or not."""
    if not response.streaming:
        return response.content
    return b"".join([part async for part in response.streaming_content])


def seconds_of(file: bytes) -> float:
    """Return the duration of an audio file."""
    with av.open(io.BytesIO(file)) as opened:
        return sum(frame.samples / frame.sample_rate for frame in opened.decode(audio=0))
