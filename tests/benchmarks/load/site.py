"""The system's pages and REST API, as browsers and API clients call them, with one shared HTTP client."""

import asyncio
import re
import time
from collections.abc import Collection, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Self

import httpx

from tests.benchmarks.load.measures import Figures
from tests.benchmarks.load.pace import Pace
from tests.candidate import consent_form

TRIES, PAUSE_S = 6, 1.0
CSRF = re.compile(r"csrftoken=(\w+)")


class Refused(Exception):
    """The system replied with errors repeatedly."""


class Site:
    """A candidate's environment: the address, the clock and the figures. Opened by `async with`."""

    def __init__(self, url: str, *, api_key: str = "", figures: Figures | None = None) -> None:
        self.url, self.figures = url.rstrip("/"), figures or Figures()
        self.pace = Pace()
        self._key = {"Authorization": f"Bearer {api_key}"}
        # Cookies are not shared between candidates: each caller sends its own.
        no_cookies: Any = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self._http = httpx.AsyncClient(cookies=no_cookies, limits=limits, timeout=30)

    async def __aenter__(self) -> Self:
        await self.pace.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._http.aclose()
        await self.pace.__aexit__(*exception)

    async def ask(
        self, method: str, address: str, *, is_expected: Collection[int] = (), **options: Any
    ) -> httpx.Response:
        """Send a request, with retries as people do. A failure counts unless its status is expected.

        Raises:
            Refused: it failed every time, or with an error that a retry cannot fix.
        """
        url = address if address.startswith("http") else self.url + address
        what = ""
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE_S * attempt)
            try:
                response = await self._http.request(method, url, **options)
            except httpx.HTTPError as error:
                what = type(error).__name__
                self.figures.errors[f"http {what}"] += 1
                continue
            if response.status_code < 400:
                return response
            what = str(response.status_code)
            if response.status_code in is_expected:
                break
            self.figures.errors[f"http {what}"] += 1
            if response.status_code < 500 and response.status_code != 429:
                break
        raise Refused(f"{method} {httpx.URL(url).path.split('/')[1]}: {what}")

    async def api(self, path: str, *, method: str = "GET", **options: Any) -> Any:
        """Return the JSON of /api/v1`path`."""
        return (await self.ask(method, f"/api/v1{path}", headers=self._key, **options)).json()

    async def invite(self, interview_id: str, candidate_name: str) -> str:
        """Invite a candidate. Return the link."""
        path = f"/interviews/{interview_id}/invitations"
        invitation = await self.api(path, method="POST", json={"candidate_name": candidate_name})
        return self.url + httpx.URL(invitation["url"]).path

    async def consent(self, invitation_url: str) -> None:
        """Load the landing page, post the form, and load the room's page."""
        page = await self.ask("GET", invitation_url)
        token = csrf_token(page.headers)
        form = consent_form(page.text) | {"csrfmiddlewaretoken": token}
        headers = {"Referer": invitation_url, "Cookie": f"csrftoken={token}"}
        await self.ask("POST", invitation_url, data=form, headers=headers)
        await self.ask("GET", f"{invitation_url}room/")

    async def timed(self, method: str, address: str, **options: Any) -> tuple[float, httpx.Response]:
        """Return the duration in ms, and the response."""
        started = time.perf_counter()
        response = await self.ask(method, address, **options)
        return 1000 * (time.perf_counter() - started), response


def csrf_token(headers: Mapping[str, str]) -> str:
    """Return the token of a page's cookie."""
    found = CSRF.search(headers.get("set-cookie", ""))
    assert found, "the page set no csrftoken"
    return found[1]
