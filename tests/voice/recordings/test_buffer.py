from itertools import pairwise
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import redis_connections
from voice.infra import redis_clients
from voice.recordings import buffer
from voice.recordings.buffer import HOT_BYTES, KEPT_BYTES, SEGMENT_BYTES, Outcome

pytestmark = pytest.mark.usefixtures("clean_redis")

LIMIT = 10 * SEGMENT_BYTES
FRAME = 200_000  # larger than a browser's frame, smaller than a segment


def pcm_of(size: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat within a segment."""
    return (seed * 1_000_003 + np.arange(size // 4 + 1)).astype(">u4").tobytes()[:size]


PCM = pcm_of(LIMIT)


@pytest.fixture
async def recording() -> UUID:
    recording_id = uuid4()
    await buffer.open_for(recording_id, writer="me", limit_bytes=LIMIT)
    return recording_id


def rest(recording: UUID) -> None:
    """Age the recording, as if its speaker had been away for long enough."""
    client = redis_clients.sync_client()
    for key in client.keys(f"voice:recording:{recording}:*"):
        client.expire(key, buffer.HOT_TTL_S - buffer.RESTS_AFTER_S)


async def write(recording: UUID, start: int, end: int) -> buffer.Write:
    return await buffer.write(recording, writer="me", offset=start, pcm=PCM[start:end])


async def fill(recording: UUID, start: int, end: int) -> buffer.Write:
    """Write [start, end) in frames."""
    for at in range(start, end, FRAME):
        last = await write(recording, at, min(end, at + FRAME))
        assert last.outcome is Outcome.HELD
    return last


async def test_a_frame_across_two_segments_is_held_whole(recording):
    await fill(recording, 0, SEGMENT_BYTES - 10)
    answer = await write(recording, SEGMENT_BYTES - 10, SEGMENT_BYTES + 20)
    assert answer == buffer.Write(Outcome.HELD, SEGMENT_BYTES + 20, 0)
    assert buffer.read(recording) == PCM[: SEGMENT_BYTES + 20]


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 100), (SEGMENT_BYTES - 50, SEGMENT_BYTES + 50), (SEGMENT_BYTES, 2 * SEGMENT_BYTES), (700_000, None)],
)
async def test_read_gives_any_stretch(recording, start, end):
    held = 2 * SEGMENT_BYTES + 1000
    await fill(recording, 0, held)
    assert buffer.read(recording, start, end) == PCM[start : held if end is None else end]


async def test_a_recording_holds_a_minute_at_most(recording):
    await fill(recording, 0, HOT_BYTES)
    answer = await write(recording, HOT_BYTES, HOT_BYTES + 2)
    assert answer.outcome is Outcome.FULL
    assert answer.held_bytes == HOT_BYTES

    buffer.let_go(recording, SEGMENT_BYTES)
    answer = await write(recording, HOT_BYTES, HOT_BYTES + 2)
    assert answer == buffer.Write(Outcome.HELD, HOT_BYTES + 2, SEGMENT_BYTES)


async def test_a_segment_is_due_when_captions_need_it_no_more(recording):
    due = SEGMENT_BYTES + KEPT_BYTES
    assert not (await fill(recording, 0, due - 2)).is_segment_due
    assert buffer.due(recording) is None
    assert (await write(recording, due - 2, due)).is_segment_due
    assert buffer.due(recording) == (0, SEGMENT_BYTES)

    buffer.let_go(recording, SEGMENT_BYTES)
    assert buffer.due(recording) is None


async def test_let_go_forgets_one_segment_once(recording):
    await fill(recording, 0, 2 * SEGMENT_BYTES + 2)
    for _ in range(2):
        buffer.let_go(recording, SEGMENT_BYTES)
    assert buffer.read(recording) == b""  # a part is in object storage
    assert buffer.read(recording, SEGMENT_BYTES) == PCM[SEGMENT_BYTES : 2 * SEGMENT_BYTES + 2]


@pytest.mark.parametrize("start", [0, SEGMENT_BYTES - 500, SEGMENT_BYTES, SEGMENT_BYTES + 500])
async def test_let_go_keeps_what_came_while_a_part_of_a_segment_was_moved(recording, start):
    await fill(recording, 0, start + 3000)
    for _ in range(2):
        buffer.let_go(recording, start + 1000)
    assert buffer.read(recording, start + 1000) == PCM[start + 1000 : start + 3000]
    assert buffer.read(recording, start + 998) == b""  # a part is in object storage
    answer = await write(recording, start + 2000, start + 4000)
    assert answer == buffer.Write(Outcome.HELD, start + 4000, start + 1000)


async def test_a_recording_without_anything_here_goes_on_where_it_was(recording):
    await fill(recording, 0, SEGMENT_BYTES + 1000)
    buffer.let_go(recording, SEGMENT_BYTES + 1000)
    assert redis_clients.sync_client().keys("voice:recording:*") == [
        f"voice:recording:{recording}:meta".encode()
    ]
    assert await buffer.open_for(recording, writer="me", limit_bytes=LIMIT) == SEGMENT_BYTES + 1000
    held = await fill(recording, SEGMENT_BYTES + 1000, 2 * SEGMENT_BYTES + 1000)
    assert held == buffer.Write(Outcome.HELD, 2 * SEGMENT_BYTES + 1000, SEGMENT_BYTES + 1000)
    rest = buffer.read(recording, SEGMENT_BYTES + 1000)
    assert rest == PCM[SEGMENT_BYTES + 1000 : 2 * SEGMENT_BYTES + 1000]


async def test_what_nobody_goes_on_with_is_due_whole(recording, monkeypatch):
    other = uuid4()
    await buffer.open_for(other, writer="me", limit_bytes=LIMIT)
    await fill(recording, 0, SEGMENT_BYTES + 1000)
    assert buffer.due(recording) is None
    rest(recording)
    assert buffer.due(recording) == (0, SEGMENT_BYTES)
    assert buffer.all_due([other, recording, uuid4()]) == [recording]
    buffer.let_go(recording, SEGMENT_BYTES)
    assert buffer.due(recording) == (SEGMENT_BYTES, SEGMENT_BYTES + 1000)
    buffer.let_go(recording, SEGMENT_BYTES + 1000)
    assert buffer.due(recording) is None


async def test_who_opens_it_again_goes_on_with_it(recording):
    await fill(recording, 0, 1000)
    rest(recording)
    await buffer.open_for(recording, writer="me", limit_bytes=LIMIT)
    assert buffer.due(recording) is None


async def test_what_was_let_go_counts_as_held(recording):
    await fill(recording, 0, SEGMENT_BYTES + 1000)
    buffer.let_go(recording, SEGMENT_BYTES)
    assert (await write(recording, 0, FRAME)).outcome is Outcome.HELD  # a repeated frame changes nothing
    assert (await write(recording, SEGMENT_BYTES + 1002, SEGMENT_BYTES + 1004)).outcome is Outcome.GAP
    assert buffer.seal(recording, at_least=SEGMENT_BYTES + 1000) == SEGMENT_BYTES + 1000


async def test_a_redis_without_its_data_goes_on_after_what_is_in_object_storage():
    recording = uuid4()
    offset = await buffer.open_for(recording, writer="me", limit_bytes=LIMIT, stored_bytes=2 * SEGMENT_BYTES)
    assert offset == 2 * SEGMENT_BYTES
    assert (await write(recording, offset, offset + FRAME)).held_bytes == offset + FRAME
    assert buffer.read(recording, offset) == PCM[offset : offset + FRAME]


async def test_opening_again_forgets_what_went_to_object_storage_in_the_meantime(recording):
    await fill(recording, 0, 2 * SEGMENT_BYTES + 1000)
    again = await buffer.open_for(recording, writer="other", limit_bytes=LIMIT, stored_bytes=SEGMENT_BYTES)
    assert again == 2 * SEGMENT_BYTES + 1000
    assert redis_clients.sync_client().exists(f"voice:recording:{recording}:0") == 0
    answer = await buffer.write(recording, writer="me", offset=again, pcm=b"ab")
    assert answer.outcome is Outcome.TAKEN_OVER


async def test_deleting_leaves_nothing(recording):
    await fill(recording, 0, SEGMENT_BYTES + 1000)
    buffer.delete(recording)
    assert redis_clients.sync_client().keys("voice:recording:*") == []


async def test_every_key_expires(recording):
    await fill(recording, 0, SEGMENT_BYTES + 1000)
    client = redis_clients.sync_client()
    assert all(client.ttl(key) > 0 for key in client.keys("voice:recording:*"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(1, 3 * SEGMENT_BYTES // 2 - 1), max_size=12).map(lambda c: [2 * n for n in c]),
    moves=st.dictionaries(st.integers(0, 12), st.sampled_from(["due", "resting", "too late", "opened"])),
)
async def test_any_frames_with_any_moves_between_lose_nothing(cuts, moves):
    recording, taken = uuid4(), b""
    await buffer.open_for(recording, writer="me", limit_bytes=LIMIT)
    ends = sorted({0, *(min(cut, 3 * SEGMENT_BYTES - 2) for cut in cuts)})
    for turn, (start, end) in enumerate(pairwise(ends)):
        move = moves.get(turn)
        if move == "resting":
            rest(recording)
        if move and (due := buffer.due(recording)):
            assert due[0] == len(taken)
            taken += buffer.read(recording, *due)
            if move == "opened":  # the job died before it updated Redis
                await buffer.open_for(recording, writer="me", limit_bytes=LIMIT, stored_bytes=len(taken))
            elif move != "too late":
                buffer.let_go(recording, len(taken))
        await fill(recording, start, end)
        if move == "too late":
            buffer.let_go(recording, len(taken))
    await redis_connections.close_those_of_this_loop()
    assert taken + buffer.read(recording, len(taken)) == PCM[: ends[-1]]


@pytest.mark.parametrize("to", [1000, SEGMENT_BYTES, SEGMENT_BYTES + 1000])
async def test_a_full_redis_lets_go(recording, to):
    await fill(recording, 0, SEGMENT_BYTES + 3000)
    client = redis_clients.sync_client()
    client.config_set("maxmemory", 1000)
    try:
        buffer.let_go(recording, to)
    finally:
        client.config_set("maxmemory", 0)
    assert buffer.read(recording, to) == PCM[to : SEGMENT_BYTES + 3000]
