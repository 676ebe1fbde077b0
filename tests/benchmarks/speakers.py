"""Speaking clients: the same audio, at the same pace, to our recogniser and to a peer's."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import websockets
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient

RATE_HZ = 16_000
FRAME_S = 0.1
BYTES_A_SECOND = 2 * RATE_HZ


@dataclass(slots=True)
class Heard:
    """The results: `wait_s` from the last byte of audio to the final text."""

    text: str = ""
    wait_s: float = 0.0
    lags_s: list[float] = field(default_factory=list)
    """For each partial: the delay from its timestamp in the audio, in real time, to its arrival."""


def frames(pcm: bytes) -> Iterator[bytes]:
    size = int(FRAME_S * BYTES_A_SECOND)
    return (pcm[start : start + size] for start in range(0, len(pcm), size))


async def at_pace(pcm: bytes, *, is_real_time: bool) -> AsyncIterator[bytes]:
    """Yield the frames of `pcm` in real time."""
    started = time.perf_counter()
    for index, frame in enumerate(frames(pcm)):
        if is_real_time:
            await asyncio.sleep(max(0.0, started + (index + 1) * FRAME_S - time.perf_counter()))
        yield frame


async def to_ours(url: str, api_key: str, pcm: bytes, *, is_real_time: bool, interim: bool = False) -> Heard:
    """Speak to `/ws/asr`."""
    heard = Heard()
    async with _socket(url, api_key) as socket:
        await socket.send(
            json.dumps({"type": "config", "sample_rate": RATE_HZ, "language": "en", "interim": interim})
        )
        reading = asyncio.create_task(_read_ours(socket, heard))
        async for frame in at_pace(pcm, is_real_time=is_real_time):
            await socket.send(frame)
        ended = time.perf_counter()
        await socket.send(json.dumps({"type": "end"}))
        await reading
        heard.wait_s = time.perf_counter() - ended
    return heard


@asynccontextmanager
async def _socket(url: str, api_key: str) -> AsyncIterator[websockets.ClientConnection]:
    address = url.replace("http", "ws", 1) + "/ws/asr"
    headers = {"Authorization": f"Bearer {api_key}"}
    async with websockets.connect(address, additional_headers=headers, max_size=None) as socket:
        yield socket


async def _read_ours(socket: websockets.ClientConnection, heard: Heard) -> None:
    started = time.perf_counter()
    texts = []
    async for data in socket:
        message = json.loads(data)
        match message["type"]:
            case "final":
                texts.append(message["text"])
            case "partial":
                heard.lags_s.append(time.perf_counter() - started - message["timestamp"])
            case "error":
                raise RuntimeError(message["detail"])
            case "done":
                break
    heard.text = " ".join(texts)


async def to_wyoming(port: int, pcm: bytes, *, is_real_time: bool) -> Heard:
    """Speak to a Wyoming server on 127.0.0.1."""
    audio = {"rate": RATE_HZ, "width": 2, "channels": 1}
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(**audio).event())
        async for frame in at_pace(pcm, is_real_time=is_real_time):
            await client.write_event(AudioChunk(audio=frame, **audio).event())
        ended = time.perf_counter()
        await client.write_event(AudioStop().event())
        while event := await client.read_event():
            if Transcript.is_type(event.type):
                return Heard(Transcript.from_event(event).text, time.perf_counter() - ended)
    raise RuntimeError("the server closed without a transcript")
