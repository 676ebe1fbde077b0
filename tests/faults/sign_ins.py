"""Many people who sign in with wrong passwords at once, and a candidate who opens a page meanwhile."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from tests.benchmarks.load.site import csrf_token

PATIENCE_S = 120.0
TRIES_OF_A_NAME = 64


@dataclass
class Seen:
    """What came back. page_s: how long each of the candidate's pages took, in seconds."""

    sign_ins: Counter[int] = field(default_factory=Counter)
    pages: Counter[int] = field(default_factory=Counter)
    page_s: list[float] = field(default_factory=list)


async def wrong_sign_ins(url: str, link: str, count: int) -> Seen:
    """Send `count` wrong passwords at once, and load the page at `link` until all are answered."""
    seen = Seen()
    limits = httpx.Limits(max_connections=count + 1)
    async with httpx.AsyncClient(timeout=PATIENCE_S, limits=limits) as http:
        token = csrf_token((await http.get(f"{url}/admin/login/")).headers)
        tries = asyncio.gather(*(_sign_in(http, url, token, n, seen) for n in range(count)))
        while not tries.done():
            await _load(http, link, seen)
        await tries
    return seen


async def _sign_in(http: httpx.AsyncClient, url: str, token: str, number: int, seen: Seen) -> None:
    form = {"username": f"user{number // TRIES_OF_A_NAME}", "password": "wrong", "csrfmiddlewaretoken": token}
    headers = {"Referer": f"{url}/admin/login/", "Cookie": f"csrftoken={token}"}
    response = await http.post(f"{url}/admin/login/", data=form, headers=headers)
    seen.sign_ins[response.status_code] += 1


async def _load(http: httpx.AsyncClient, link: str, seen: Seen) -> None:
    started = time.monotonic()
    response = await http.get(link, follow_redirects=True)
    seen.page_s.append(time.monotonic() - started)
    seen.pages[response.status_code] += 1
