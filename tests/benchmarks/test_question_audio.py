"""A question that is already synthesised: time from the request to the first byte of audio."""

import statistics
import time

import httpx

from tests.candidate import connected, consent

REQUESTS = 300


async def test_question_audio_on_a_cache_hit(stack, figure):
    url = stack.load_demo()["invitation_url"]
    await consent(url)
    async with connected(url) as candidate:
        address = stack.url + await candidate.ask_first_question()
    async with httpx.AsyncClient() as client:
        hit = await first_byte_ms(client, address)
        bare = await first_byte_ms(client, stack.url + "/health")
    figure("question audio, cache hit, median", statistics.median(hit), "ms", "5 at the server")
    figure("question audio, cache hit, p95", statistics.quantiles(hit, n=20)[-1], "ms")
    figure("/health beside it, median", statistics.median(bare), "ms")


async def first_byte_ms(client: httpx.AsyncClient, address: str) -> list[float]:
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        async with client.stream("GET", address) as response:
            assert response.status_code == 200
            await anext(response.aiter_raw())
            times.append(1000 * (time.perf_counter() - started))
    return times
