"""Callers of the speech service."""

import asyncio

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import OperationalError
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import ApiKey, BrowserSession, User
from accounts.networks import client_address
from accounts.rest_keys import WrongNetwork, WrongScope
from interview_platform.web import callers
from interview_platform.web.callers import anybody, caller_of_key, caller_of_user
from interview_platform.web.socket_access import VoiceAccess
from tests.factories import MembershipFactory, OrganisationFactory, UserFactory
from voice.callers import READ, WRITE
from voice.infra.threads import in_thread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch):
    monkeypatch.setattr(callers, "_known", {})


def issued(*scopes):
    return ApiKey.issue(organisation=OrganisationFactory(), name="key", scopes=list(scopes))


def of_key(secret, *, address="192.0.2.1"):
    return caller_of_key(secret, scope=WRITE, address=address)


async def greeting(scope, receive, send):
    """An application that accepts every connection and sends the caller's id."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["caller"].id})


async def session_of(user) -> dict[str, str]:
    """Return the cookies of a browser that has signed in."""
    client = AsyncClient()
    await client.aforce_login(user)
    return {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}


def member(**fields):
    return MembershipFactory(**fields).user


async def met(headers=(), *, user=None, subprotocols=None):
    """Return the caller's id as the application sees it; None if the connection was refused."""
    socket = WebsocketCommunicator(
        VoiceAccess(greeting, needs=WRITE), "/ws/tts", headers=list(headers), subprotocols=subprotocols
    )
    socket.scope["cookies"] = await session_of(user) if user else {}
    is_in, _ = await socket.connect()
    return await socket.receive_from() if is_in else None


@pytest.fixture
def key(transactional_db):
    return issued(READ, WRITE)


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


async def test_wrong_keys_are_counted_and_logged_without_the_key(key, clean_redis, caplog):
    wrong = [(b"x-api-key", b"ipk_guessed")]
    for _ in range(2):
        assert await met(wrong) is None

    assert clean_redis.get("voice:wrong-keys:unknown") == b"2"
    assert "wrong API key" in caplog.text
    assert "guessed" not in caplog.text


async def test_nobody_stays_outside():
    assert await met() is None


async def test_key_of_another_scope_stays_outside():
    _, secret = await in_thread(issued)(READ)

    assert await met([(b"x-api-key", secret.encode())]) is None
    with pytest.raises(WrongScope):
        await of_key(secret)


async def test_all_who_ask_at_once_share_one_reading(key, monkeypatch):
    row, secret = key
    readings = []
    find = ApiKey.find
    monkeypatch.setattr(ApiKey, "find", lambda asked: (readings.append(asked), find(asked))[1])

    found = await asyncio.gather(*(of_key(secret) for _ in range(20)))

    assert {caller.id for caller in found} == {f"key:{row.pk}"}
    assert len(readings) == 1


async def test_key_that_is_known_is_refused_from_another_network(key):
    row, secret = key
    row.networks = "192.0.2.0/24"
    await in_thread(row.save)()

    assert await of_key(secret, address="192.0.2.1")
    with pytest.raises(WrongNetwork):
        await of_key(secret, address="203.0.113.9")


async def test_revoked_key_is_forgotten_soon(key, monkeypatch):
    row, secret = key
    assert await of_key(secret)
    row.revoked_at = timezone.now()
    await in_thread(row.save)()

    later = callers.time.monotonic() + callers.KEY_KNOWN_FOR_S + 1
    monkeypatch.setattr(callers.time, "monotonic", lambda: later)

    assert await of_key(secret) is None


async def test_members_who_are_signed_in_come_in():
    user = await in_thread(member)()

    assert await met(user=user) == f"user:{user.pk}"


@pytest.mark.parametrize("is_member", [False, True])
async def test_others_who_are_signed_in_stay_outside(is_member):
    user = await in_thread(member)(user__is_staff=False) if is_member else await in_thread(UserFactory)()

    assert await met(user=user) is None


async def let_in(*headers, user=None):
    """Return the application's function that checks whether the caller would still be admitted."""
    given = {}

    async def app(scope, receive, send):
        given.update(scope)

    scope = {"headers": list(headers), "cookies": await session_of(user) if user else {}}
    await VoiceAccess(app, needs=WRITE)(scope, None, None)
    return given["is_authorised"]


async def test_revoked_key_would_not_be_let_in_again(key, monkeypatch):
    row, secret = key
    is_authorised = await let_in((b"x-api-key", secret.encode()))
    assert await is_authorised()
    row.revoked_at = timezone.now()
    await in_thread(row.save)()
    monkeypatch.setattr(callers, "_known", {})

    assert not await is_authorised()


def deactivate(user):
    User.objects.filter(pk=user.pk).update(is_active=False)


def lose_roles(user):
    user.memberships.all().delete()


def change_password(user):
    user.set_password("another one")
    user.save()


def sign_out(user):
    BrowserSession.objects.all().delete()


LOSSES = [deactivate, lose_roles, change_password, sign_out]


@pytest.mark.parametrize("is_public", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
async def test_staff_who_lost_access_would_not_be_let_in_again(settings, is_public, loss):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": is_public}
    user = await in_thread(member)()
    is_authorised = await let_in(user=user)
    assert await is_authorised()
    await in_thread(loss)(user)

    assert not await is_authorised()


async def test_database_that_is_away_ends_no_connection(key, monkeypatch):
    def fail(secret):
        raise OperationalError("no")

    is_authorised = await let_in((b"x-api-key", key[1].encode()))
    monkeypatch.setattr(callers, "_known", {})
    monkeypatch.setattr(ApiKey, "find", fail)

    assert await is_authorised()


def test_superusers_run_the_installation():
    assert caller_of_user(UserFactory(is_superuser=True)).is_operator
    assert not caller_of_user(member()).is_operator


def test_strangers_behind_one_address_share_nothing(settings):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}

    assert anybody("192.0.2.1").owner == ""


FORWARDED = "203.0.113.9, 198.51.100.7"


@pytest.mark.parametrize(
    ("is_behind_proxy", "forwarded_for", "address"),
    [
        (False, FORWARDED, "192.0.2.1"),
        (True, FORWARDED, "198.51.100.7"),
        (True, "198.51.100.7", "198.51.100.7"),
        (True, "", "192.0.2.1"),
    ],
)
def test_only_a_proxy_of_ours_is_believed(settings, is_behind_proxy, forwarded_for, address):
    settings.BEHIND_PROXY = is_behind_proxy

    assert client_address("192.0.2.1", forwarded_for) == address


async def test_address_behind_a_proxy_counts_over_both_protocols(settings, clean_redis):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}
    settings.BEHIND_PROXY = True

    assert await met([(b"x-forwarded-for", FORWARDED.encode())]) == "address:198.51.100.7"
    await AsyncClient().get("/v1/models", headers={"X-Forwarded-For": FORWARDED})
    assert clean_redis.get("voice:requests:address:198.51.100.7") == b"1"


async def test_anybody_comes_in_where_the_service_is_public(settings):
    settings.VOICE = settings.VOICE | {"IS_PUBLIC": True}

    assert (await met()).startswith("address:")
