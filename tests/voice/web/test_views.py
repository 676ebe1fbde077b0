"""Spoken questions over HTTP."""

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.urls import reverse

from tests import factories
from tests.sounds import stated_seconds

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def address(clean_redis):
    row = await sync_to_async(factories.SpeechFactory)(ready=True)
    return reverse("voice:speech", args=[row.key])


async def test_question_is_served_whole_and_in_ranges(address):
    client = AsyncClient()
    whole = await client.get(address)
    part = await client.get(address, headers={"Range": "bytes=0-1"})  # as Safari asks first
    head = await client.head(address)

    assert (whole.status_code, whole["Accept-Ranges"]) == (200, "bytes")
    assert stated_seconds(whole.content) == pytest.approx(1.0)
    assert (part.status_code, part.content) == (206, b"fL")
    assert part["Content-Range"] == f"bytes 0-1/{len(whole.content)}"
    assert (head.status_code, head["Content-Length"]) == (200, str(len(whole.content)))
    assert all("immutable" in response["Cache-Control"] for response in (whole, part, head))


async def test_range_outside_a_question_is_kept_by_nobody(address):
    response = await AsyncClient().get(address, headers={"Range": "bytes=9999999-"})

    assert (response.status_code, response["Cache-Control"]) == (416, "no-store")
