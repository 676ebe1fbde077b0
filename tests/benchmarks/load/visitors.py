"""Recruiters in the admin, and programs at the API, while interviews are held."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.benchmarks.load.measures import Latencies
from tests.benchmarks.load.site import Refused, Site, csrf_token

READING_S = (4.0, 10.0)
SESSIONS, ENGINES = "/admin/interviews/session/", "/admin/speech-engines/"
REVIEW = re.compile(r"/admin/interviews/session/([0-9a-f-]{36})/change/")
SIGNED_IN = re.compile(r"sessionid=(\w+)")


class Visitors:
    """Visitors until cancelled. `page_ms` and `api_ms` are their response times."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.page_ms, self.api_ms = Latencies(), Latencies()

    async def recruiter(self, username: str, password: str) -> None:
        """Sign in, then read the list of sessions, one session, and the speech engines."""
        cookie = await self._sign_in(username, password)
        while True:
            await self._read_admin(cookie)

    async def _sign_in(self, username: str, password: str) -> str:
        login = "/admin/login/"
        token = csrf_token((await self.site.ask("GET", login)).headers)
        form = {"username": username, "password": password, "csrfmiddlewaretoken": token}
        headers = {"Referer": self.site.url + login, "Cookie": f"csrftoken={token}"}
        response = await self.site.ask("POST", login, data=form, headers=headers)
        found = SIGNED_IN.search(response.headers.get("set-cookie", ""))
        if found is None:
            raise Refused("signing in to the admin")
        return f"sessionid={found[1]}"

    async def _read_admin(self, cookie: str) -> None:
        sessions = await self._page(SESSIONS, cookie)
        if ids := REVIEW.findall(sessions):
            await self._page(f"{SESSIONS}{random.choice(ids)}/change/", cookie)
        await self._page(ENGINES, cookie)

    async def _page(self, path: str, cookie: str) -> str:
        took_ms, response = await self.site.timed("GET", path, headers={"Cookie": cookie})
        self.page_ms.add(took_ms)
        await asyncio.sleep(random.uniform(*READING_S))
        return response.text

    async def api_client(self, interview_id: str) -> None:
        """List finished candidates, and fetch the answers of one."""
        while True:
            query = {"interview_id": interview_id, "status": "finished", "limit": 20}
            done = await self._timed_api("/invitations", params=query)
            if done["items"]:
                session = random.choice(done["items"])["session_id"]
                answers = await self._timed_api(f"/sessions/{session}/answers")
                for answer in answers["items"]:
                    if answer["transcript"]:
                        await self._timed_api(f"/answers/{answer['id']}/transcript")
            await asyncio.sleep(random.uniform(*READING_S))

    async def _timed_api(self, path: str, **options: Any) -> dict:
        started = asyncio.get_running_loop().time()
        found = await self.site.api(path, **options)
        self.api_ms.add(1000 * (asyncio.get_running_loop().time() - started))
        return found


async def undeterred(site: Site, visit: Callable[[], Awaitable[None]]) -> None:
    """Repeat a refused visit, and count the refusal."""
    while True:
        try:
            await visit()
        except Refused as error:
            site.figures.errors[f"visitor: {error}"] += 1
            await asyncio.sleep(READING_S[0])
