"""Access of pages and programs to the WebSockets."""

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.middleware.csrf import CsrfViewMiddleware
from django.test import AsyncClient

from accounts.models import ApiKey
from interview_platform.asgi import application
from interview_platform.web import callers, socket_access
from tests.factories import MembershipFactory, OrganisationFactory
from voice.infra.threads import in_thread

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

VOICE_PATHS = pytest.mark.parametrize("path", ["/ws/asr", "/ws/tts", "/ws/voice", "/ws/voice/"])
HOST = (b"host", b"127.0.0.1")
OURS, FOREIGN = (b"origin", b"http://127.0.0.1"), (b"origin", b"https://elsewhere.example")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(callers, "_known", {})


@pytest.fixture
def key(transactional_db) -> tuple[bytes, bytes]:
    _, secret = ApiKey.issue(organisation=OrganisationFactory(), name="key", scopes=["voice:write"])
    return (b"authorization", f"Bearer {secret}".encode())


async def is_authorised(path: str, *headers: tuple[bytes, bytes]) -> bool:
    socket = WebsocketCommunicator(application, path, headers=[HOST, *headers])
    is_in, _ = await socket.connect(timeout=120)
    await socket.disconnect(timeout=120)
    return is_in


@pytest.mark.parametrize(
    ("origin", "host", "is_ours"),
    [
        ("http://127.0.0.1", "127.0.0.1", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://127.0.0.1:8000", "127.0.0.1", False),
        ("http://127.0.0.1", "127.0.0.1:8000", False),
        ("https://127.0.0.1", "127.0.0.1", False),
        ("http://localhost", "127.0.0.1", False),
        ("http://elsewhere.example", "elsewhere.example", False),
        ("https://trusted.example", "127.0.0.1", True),
        ("http://trusted.example", "127.0.0.1", False),
        ("null", "127.0.0.1", False),
        ("http://[", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        (None, "127.0.0.1", False),
    ],
)
def test_origin_is_compared_exactly(settings, monkeypatch, origin, host, is_ours):
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    monkeypatch.setattr(socket_access, "_forms", CsrfViewMiddleware(lambda request: None))
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])

    assert socket_access._is_from_our_page({"path": "/", "headers": headers, "scheme": "ws"}) is is_ours


@pytest.mark.parametrize("is_behind_proxy", [False, True])
def test_page_over_https_is_ours_behind_a_proxy_of_ours(settings, is_behind_proxy):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_behind_proxy else None
    headers = [HOST, (b"origin", b"https://127.0.0.1"), (b"x-forwarded-proto", b"https")]

    assert socket_access._is_from_our_page({"path": "/", "headers": headers}) is is_behind_proxy


@pytest.mark.parametrize(
    "path", ["/", "/ws", "/ws/interviews/secret-link", "/ws/asr/x", "/i/secret-link/", "/ws/%00"]
)
async def test_unknown_address_is_closed_quietly(path, caplog):
    assert not await is_authorised(path, OURS)
    assert caplog.records == []


@VOICE_PATHS
async def test_program_with_a_key_is_authorised(path, key):
    assert await is_authorised(path, key)


@VOICE_PATHS
async def test_nobody_without_a_key_is_authorised(path):
    assert not await is_authorised(path)
    assert not await is_authorised(path, OURS)


async def test_page_of_another_site_with_a_key_is_authorised(key):
    assert await is_authorised("/ws/tts", key, FOREIGN)


async def test_page_of_another_site_has_no_use_of_a_public_service(settings):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}

    assert await is_authorised("/ws/tts")
    assert await is_authorised("/ws/tts", OURS)
    assert not await is_authorised("/ws/tts", FOREIGN)


async def test_candidates_come_from_our_pages_only():
    path = "/ws/interviews/nobody-has-this/"

    assert await is_authorised(path, OURS)  # later closed, because the link is unknown
    assert not await is_authorised(path, FOREIGN)
    assert not await is_authorised(path)


@pytest.mark.parametrize("end", ["sign out", "password", "role"])
async def test_connection_of_a_session_ends_with_what_it_was_let_in_for(end):
    browser, membership = AsyncClient(), await in_thread(MembershipFactory)()
    await browser.aforce_login(membership.user)
    cookie = f"sessionid={browser.cookies['sessionid'].value}".encode()
    socket = WebsocketCommunicator(application, "/ws/tts", headers=[HOST, OURS, (b"cookie", cookie)])
    assert (await socket.connect(timeout=120))[0]
    await socket.send_json_to({"type": "ping"})
    assert await socket.receive_json_from(timeout=120) == {"type": "pong"}

    if end == "sign out":
        await browser.post("/admin/logout/")
    elif end == "role":
        await in_thread(membership.delete)()
    else:
        membership.user.set_password("another one")
        await in_thread(membership.user.save)()

    assert (await socket.receive_json_from(timeout=120))["code"] == "unauthenticated"
    assert await socket.receive_output(timeout=120) == {"type": "websocket.close", "code": 4401}
    await sync_to_async(connections.close_all)()  # those of Django's session thread
