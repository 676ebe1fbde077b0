"""The request that work goes back to."""

import asyncio

import pytest

from voice.infra import correlation

NGINX, UUID = "0f" * 16, "0194e7a4-1111-7222-8333-444455556666"


@pytest.mark.parametrize("told", [NGINX, UUID, "Root.1-67891233", "12345678", "a" * 64])
def test_id_of_a_proxy_is_taken(told):
    assert correlation.accepted(told) == told


@pytest.mark.parametrize(
    "told", ["", "1234567", "a" * 65, "-1234567", "ada@example.com", "a b c d e f", f"{NGINX}\n"]
)
def test_anything_else_is_no_id(told):
    assert correlation.accepted(told) == ""


def test_made_id_is_one():
    assert correlation.accepted(made := correlation.new()) == made
    assert made != correlation.new()


async def test_task_and_thread_of_a_request_know_it():
    async def told():
        return correlation.request_id(), await asyncio.to_thread(correlation.request_id)

    with correlation.serving(NGINX):
        task = asyncio.create_task(told())
    assert await task == (NGINX, NGINX)
    assert correlation.request_id() == ""


async def test_task_for_all_knows_no_request():
    async def told():
        return correlation.request_id()

    with correlation.serving(NGINX):
        assert await correlation.task_for_all(told()) == ""
