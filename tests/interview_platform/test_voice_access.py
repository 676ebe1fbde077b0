"""Who may use the speech service."""

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import ApiKey
from interview_platform import voice_access
from interview_platform.voice_access import VoiceAccess, WrongScope, caller_of_key
from tests.factories import OrganisationFactory, UserFactory
from voice.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(voice_access, "_known", {})


def issued(*scopes):
    return ApiKey.issue(organisation=OrganisationFactory(), name="key", scopes=list(scopes))


async def greeting(scope, receive, send):
    """An application that lets anybody in and tells who it is."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["caller"].id})


async def met(headers=(), *, user=None, subprotocols=None):
    """The id of the caller that the application met; None when nobody was let in."""
    socket = WebsocketCommunicator(
        VoiceAccess(greeting), "/ws/tts", headers=list(headers), subprotocols=subprotocols
    )
    socket.scope["user"] = user or AnonymousUser()
    is_in, _ = await socket.connect()
    return await socket.receive_from() if is_in else None


@pytest.fixture
def key(transactional_db):
    return issued("voice")


@pytest.mark.parametrize("header", [(b"authorization", "Bearer {}"), (b"x-api-key", "{}")])
async def test_key_in_a_header_opens(key, header):
    row, secret = key
    name, value = header

    assert await met([(name, value.format(secret).encode())]) == f"key:{row.pk}"


async def test_key_among_the_subprotocols_opens(key):
    row, secret = key

    assert await met(subprotocols=["voice", f"key.{secret}"]) == f"key:{row.pk}"


async def test_unknown_key_stays_outside(key):
    assert await met([(b"authorization", b"Bearer ipk_unknown")]) is None


async def test_nobody_stays_outside():
    assert await met() is None


async def test_key_for_interviews_stays_outside():
    _, secret = await in_thread(issued)("interviews")

    assert await met([(b"x-api-key", secret.encode())]) is None
    with pytest.raises(WrongScope):
        await caller_of_key(secret)


async def test_revoked_key_is_forgotten_soon(key, monkeypatch):
    row, secret = key
    assert await caller_of_key(secret)
    row.revoked_at = timezone.now()
    await in_thread(row.save)()

    later = voice_access.time.monotonic() + voice_access.KEY_KNOWN_FOR_S + 1
    monkeypatch.setattr(voice_access.time, "monotonic", lambda: later)

    assert await caller_of_key(secret) is None


async def test_staff_who_are_signed_in_come_in():
    user = await in_thread(UserFactory)(is_staff=True)

    assert await met(user=user) == f"user:{user.pk}"


async def test_others_who_are_signed_in_stay_outside():
    user = await in_thread(UserFactory)(is_staff=False)

    assert await met(user=user) is None


async def test_anybody_comes_in_where_the_service_is_public(settings):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}

    assert (await met()).startswith("address:")
