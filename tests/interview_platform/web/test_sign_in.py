"""Signing in: how many wrong passwords are taken, from where, and what is told of it."""

import asyncio

import pytest
from django.contrib.auth.hashers import make_password
from django.test import AsyncClient, AsyncRequestFactory
from prometheus_client import REGISTRY

from interview_platform.web import sign_in
from interview_platform.web.sign_in import Attempt
from tests import factories
from tests.factories import PASSWORD
from voice.capacity import allowances
from voice.capacity.allowances import Policy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]

HERE, ELSEWHERE = "203.0.113.9", "198.51.100.7"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    """The number of hashes that are made, each of one round."""
    hashed = []

    def count(password, salt, iterations, **options):
        hashed.append(salt)
        return password.encode()

    monkeypatch.setattr("django.contrib.auth.hashers.pbkdf2", count)
    return hashed


@pytest.fixture
def limits(monkeypatch):
    """A function that sets limits by the names of their policies."""

    def limit(**by_name):
        for name, most in by_name.items():
            policy = getattr(sign_in, name)
            monkeypatch.setattr(sign_in, name, Policy(policy.name, most, policy.window_s))

    return limit


@pytest.fixture
def ada(transactional_db):
    return factories.UserFactory(username="ada", is_staff=True, password=make_password(PASSWORD))


async def attempt(username="ada", password="wrong", *, address=HERE, browser=None):
    form = {"username": username, "password": password, "next": "/admin/"}
    return await (browser or AsyncClient()).post("/admin/login/", form, headers={"X-Forwarded-For": address})


@pytest.fixture(autouse=True)
def behind_proxy(settings):
    settings.BEHIND_PROXY = True


async def statuses(count, **options):
    return [(await attempt(**options)).status_code for _ in range(count)]


async def test_right_password_signs_in(ada):
    response = await attempt(password=PASSWORD)

    assert (response.status_code, response["Location"]) == (302, "/admin/")


async def test_account_is_refused_to_a_network_after_some_wrong_passwords(ada, limits, cheap_hashes):
    limits(OF_PAIR=3)

    assert await statuses(5) == [200, 200, 200, 429, 429]
    assert len(cheap_hashes) == 3 + 1  # one more made the account's own
    assert (await attempt(password=PASSWORD)).status_code == 429
    assert (await attempt(password=PASSWORD, address=ELSEWHERE)).status_code == 302


async def test_attempts_are_counted_by_what_became_of_them(ada, limits):
    limits(OF_PAIR=2)
    before = {name: signed_in(name) for name in ("accepted", "wrong", "refused")}

    await attempt(password=PASSWORD)
    await statuses(3)

    counts = {name: signed_in(name) - count for name, count in before.items()}
    assert counts == {"accepted": 1, "wrong": 2, "refused": 1}


def signed_in(outcome):
    return REGISTRY.get_sample_value("interviews_sign_ins_total", {"outcome": outcome}) or 0.0


async def test_burst_is_refused_before_anything_is_hashed(ada, limits, cheap_hashes):
    limits(OF_PAIR=3)
    cheap_hashes.clear()
    responses = await asyncio.gather(*(attempt() for _ in range(64)))

    assert sorted(response.status_code for response in responses) == [200] * 3 + [429] * 61
    assert len(cheap_hashes) == 3


async def test_network_is_refused_whatever_names_it_tries(ada, limits):
    limits(OF_NETWORK=2)
    for name in ("ben", "cleo"):
        await attempt(name)

    assert (await attempt("dora", address="203.0.113.77")).status_code == 429
    assert (await attempt("dora", address=ELSEWHERE)).status_code == 200


async def test_account_alone_is_only_slowed_down(ada, limits, monkeypatch):
    limits(OF_ACCOUNT=2)
    delays, sleep = [], asyncio.sleep

    async def slow(seconds):
        delays.append(seconds)
        await sleep(0)

    monkeypatch.setattr(sign_in.asyncio, "sleep", slow)
    for number in range(9):
        await attempt(address=f"198.51.{number}.7")

    assert delays == [0, 0, 1, 2, 4, 8, 8, 8, 8]
    assert (await attempt(password=PASSWORD)).status_code == 302


async def test_known_device_is_let_in_whatever_others_try(ada, limits):
    limits(OF_NETWORK=2, OF_PAIR=2)
    browser = AsyncClient()
    await attempt(password=PASSWORD, browser=browser)
    assert await statuses(3) == [200, 200, 429]

    assert (await attempt(password=PASSWORD, browser=browser)).status_code == 302


async def test_known_device_has_a_limit_of_its_own(ada, limits):
    limits(OF_DEVICE=2)
    browser = AsyncClient()
    await attempt(password=PASSWORD, browser=browser)

    assert await statuses(3, browser=browser) == [200, 200, 429]


async def test_device_is_known_to_one_account_only(ada, limits):
    limits(OF_NETWORK=1)
    browser = AsyncClient()
    await attempt(password=PASSWORD, browser=browser)

    assert await statuses(2, username="ben", browser=browser) == [200, 429]


async def test_cookie_of_a_device_cannot_be_made_up(ada, limits):
    limits(OF_NETWORK=0)
    browser = AsyncClient()
    browser.cookies["device"] = "eyJhY2NvdW50IjoiIn0:1:made-up"

    assert (await attempt(password=PASSWORD, browser=browser)).status_code == 429


async def test_right_passwords_do_not_count(ada, limits):
    limits(OF_PAIR=1, OF_NETWORK=1)

    assert await statuses(4, password=PASSWORD) == [302] * 4


async def test_refusal_says_how_long_to_wait(ada, limits):
    limits(OF_PAIR=0)
    response = await attempt()

    assert "Please try again in 15 minutes." in response.content.decode()
    assert 0 < int(response["Retry-After"]) <= sign_in.WINDOW_S
    assert response["RateLimit-Policy"] == '"sign-in";q=0;w=900'
    assert response["RateLimit"].startswith('"sign-in";r=0;t=')


async def test_wrong_password_says_what_is_left(ada):
    assert (await attempt())["RateLimit"].startswith('"sign-in";r=9;t=')


async def test_failures_are_logged_without_what_was_typed(ada, limits, caplog):
    limits(OF_PAIR=1)
    await statuses(3, password="correct horse")
    await attempt("my secret instead of my name")
    told = "\n".join(record.getMessage() for record in caplog.records if record.name == sign_in.__name__)

    assert f"(user {ada.pk}), network 203.0.113.0/24" in told
    assert "(no such user)" in told
    assert told.count("sign-ins refused") == 1  # not one line for each attempt
    assert not any(typed in told for typed in ("ada", "horse", "secret"))


async def test_only_so_many_wait_to_be_hashed(ada, limits):
    limits(AT_ONCE=0)
    response = await attempt(password=PASSWORD)

    assert (response.status_code, response["Retry-After"]) == (429, "10")
    assert sign_in._under_way == 0


async def test_attempts_that_are_slowed_down_keep_nobody_out(ada, limits, monkeypatch):
    limits(AT_ONCE=1, OF_ACCOUNT=0)
    gate, sleep = asyncio.Event(), asyncio.sleep
    monkeypatch.setattr(sign_in.asyncio, "sleep", lambda seconds: gate.wait() if seconds else sleep(0))
    request = AsyncRequestFactory().post("/admin/login/")
    slowed = [
        asyncio.create_task(sign_in._checked(lambda request: None, request, Attempt("ada", str(number), "")))
        for number in range(3)
    ]
    for _ in range(100):
        await sleep(0.01)
        if (await allowances.count(sign_in.OF_ACCOUNT, "ada")).used > len(slowed):
            break
    assert sign_in._under_way == 0
    gate.set()
    await asyncio.gather(*slowed, return_exceptions=True)


async def test_attempt_that_finds_no_place_does_not_count(ada, limits):
    limits(AT_ONCE=0, OF_PAIR=1)
    assert await statuses(3) == [429, 429, 429]
    limits(AT_ONCE=1)
    assert (await attempt(password=PASSWORD)).status_code == 302


async def test_own_password_is_guessed_no_faster_with_a_session(ada, limits):
    limits(OF_PAIR=2)
    browser = AsyncClient()
    await browser.aforce_login(ada)
    form = {"old_password": "wrong", "new_password1": "a new one, long", "new_password2": "a new one, long"}
    found = [(await browser.post("/admin/password_change/", form)).status_code for _ in range(3)]

    assert found == [200, 200, 429]


async def test_staff_use_half_of_the_connections_at_most(monkeypatch, ada):
    from interview_platform.web import staff_pages

    at_once = most = 0

    async def page(request):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    serve = staff_pages.in_turn(page)
    request = type("Request", (), {"path": "/admin/"})()
    await asyncio.gather(*(serve(request) for _ in range(20)))
    assert most == staff_pages.at_once() == 4
    other = type("Request", (), {"path": "/i/link/"})()
    most = 0
    await asyncio.gather(*(serve(other) for _ in range(20)))
    assert most == 20
