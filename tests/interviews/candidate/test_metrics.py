"""Metrics of candidates' connections."""

import asyncio

import pytest
from django.urls import reverse
from prometheus_client import REGISTRY

from interviews.admission import waiting_room
from interviews.candidate import metrics


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def bucket(edge):
    return counted("interviews_ack_seconds_bucket", le=edge)


@pytest.fixture
def tally():
    tally = metrics.FrameTally()
    yield tally
    tally.flush()


async def test_frames_are_handed_over_as_if_each_had_been_observed(tally):
    names = ["interviews_frames_total", "interviews_frame_bytes_total", "interviews_ack_seconds_sum"]
    before = [counted(name) for name in names]
    edges = ["0.001", "0.01", "0.25", "10.0", "+Inf"]
    buckets = [bucket(edge) for edge in edges]

    for seconds in (0.001, 0.002, 0.2, 11.0):
        tally.add(seconds, 8000)
    assert [counted(name) for name in names] == before
    tally.flush()

    after = [counted(name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([4, 32_000, 11.203])
    assert [bucket(edge) - was for edge, was in zip(edges, buckets, strict=True)] == [1, 2, 3, 3, 4]


async def test_frames_are_handed_over_once_however_many_flushes_come(tally):
    tally.add(0.01, 8000)
    tally.flush()
    before = counted("interviews_frames_total")
    tally.flush()
    assert counted("interviews_frames_total") == before


async def test_frames_are_handed_over_by_themselves(tally, monkeypatch):
    monkeypatch.setattr(metrics, "FLUSH_AFTER_S", 0.01)
    flushed, flush = asyncio.Event(), tally.flush
    monkeypatch.setattr(tally, "flush", lambda: (flush(), flushed.set()))
    before = counted("interviews_frames_total")
    tally.add(0.01, 8000)
    async with asyncio.timeout(120):
        await flushed.wait()
    assert counted("interviews_frames_total") == before + 1


def test_tally_works_on_after_its_event_loop_has_ended(tally, monkeypatch):
    monkeypatch.setattr(metrics, "FLUSH_AFTER_S", 0.0)

    async def add():
        tally.add(0.01, 8000)
        await asyncio.sleep(0)

    before = counted("interviews_frames_total")
    asyncio.run(add())
    asyncio.run(add())
    tally.flush()
    assert counted("interviews_frames_total") == before + 2


@pytest.mark.django_db
def test_candidates_of_all_machines_are_told(client, clean_redis, monkeypatch):
    monkeypatch.setattr(waiting_room, "numbers", lambda: waiting_room.Numbers(inside=12, waiting=3))
    lines = client.get(reverse("metrics")).content.decode().splitlines()
    assert 'interviews_candidates{state="inside"} 12.0' in lines
    assert 'interviews_candidates{state="waiting"} 3.0' in lines
