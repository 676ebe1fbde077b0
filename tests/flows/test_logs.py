"""Nothing that opens anything is in the output of any process, whatever goes wrong.

`Stack` looks for secrets once more when it ends, after the interviews and faults of all other tests.
"""

import asyncio
import secrets
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest
import websockets

from tests.candidate import connected, consent
from tests.faults.waiting import wait_for
from tests.stack import link_token

pytestmark = pytest.mark.flows


def wrong_requests(token: str) -> list[tuple[str, str]]:
    """Method and address of requests that fail, each with the token of a link."""
    return [
        ("GET", f"/i/{token}"),
        ("POST", f"/i/{token}"),
        ("POST", f"/i/{token}/"),  # without a CSRF token
        ("DELETE", f"/i/{token}/room/"),
        ("GET", f"/i/{token}/room/again/"),
        ("GET", f"/I/{token}/"),
        ("GET", f"/i/x{token}x/"),
        ("GET", f"//i/{token}/?next=/i/{token}/"),
        ("GET", f"/recordings/{token}:1tXyZ2:{token}"),
        ("GET", f"/recordings/{token}/"),
        ("GET", f"/api/v1/sessions?token={token}"),
        ("GET", f"/api/{token}"),
        ("GET", f"/admin/r/1/{token}/"),
        ("POST", f"/stats/{token}"),
        ("GET", f"/ws/interviews/{token}/"),
    ]


async def ask(url: str, token: str, key: str) -> None:
    """Ask for all of it, with a wrong key, for a host that is not ours too."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Cookie": f"sessionid={token}",
        "Referer": f"{url}/i/{token}/",
    }
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        for method, address in wrong_requests(token):
            await client.request(method, address)
        await client.get(f"/i/{token}/", headers={"Host": "elsewhere.example"})


async def ask_badly(url: str, token: str) -> None:
    """Send requests that the server itself refuses."""
    for line in (
        f"GET /i/{token}/\xff HTTP/1.1",
        f"GET http://[{token} HTTP/1.1",
        f"GET /i/{token}/?\xff HTTP/1.1",
    ):
        reader, writer = await asyncio.open_connection(*urlsplit(url).netloc.split(":"))
        writer.write(f"{line}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode("latin-1"))
        await asyncio.wait_for(reader.read(), 60)
        writer.close()


async def open_wrong_sockets(url: str, token: str, key: str) -> None:
    url = url.replace("http", "ws")
    for path in (
        f"/ws/interviews/{token}",
        f"/ws/{token}/",
        f"/ws/interviews/x{token}/",
        f"/ws/asr?key={token}",
    ):
        for headers in ({}, {"Origin": "https://elsewhere.example"}):
            with suppress(websockets.InvalidHandshake, websockets.ConnectionClosed, OSError):
                async with websockets.connect(
                    url + path, additional_headers=headers, subprotocols=["voice", f"key.{key}"]
                ) as socket:
                    await socket.recv()


async def test_no_error_writes_what_opens_something(stack):
    link = await asyncio.to_thread(stack.invite)
    token, key = link_token(link), f"ipk_{secrets.token_urlsafe(24)}"
    stack.secrets |= {token, key}
    await consent(link)
    async with connected(link) as candidate:
        await candidate.say(f"no command {token}")
    await ask(stack.url, token, key)
    await ask_badly(stack.url, token)
    await open_wrong_sockets(stack.url, token, key)
    async with httpx.AsyncClient(base_url=stack.url) as client:
        await client.get("/admin/login/")
    log = stack.log.read_text
    wait_for(lambda: "GET /admin/login/ 200" in log(), "the last line of the access log")
    wait_for(lambda: "GET /ws/interviews/<str:token>/ disconnected" in log(), "the socket's line")
    assert "POST /i/<str:token>/ 403" in log()
    assert stack.leaked() == []
