import asyncio

import pytest

from voice.infra.coalescing import AT_MOST, Coalesced


class Store:
    """A store that doubles numbers and records which came together."""

    def __init__(self) -> None:
        self.companies: list[list[int]] = []
        self.has_company, self.is_open = asyncio.Event(), asyncio.Event()
        self.is_open.set()

    async def double(self, numbers: list[int]) -> list[int]:
        self.companies.append(numbers)
        self.has_company.set()
        await self.is_open.wait()
        if -1 in numbers:
            raise ConnectionError
        return [2 * number for number in numbers]


@pytest.fixture
async def store() -> Store:
    return Store()


@pytest.fixture
async def doubled(store) -> Coalesced[int, int]:
    return Coalesced(store.double)


async def test_everybody_gets_his_own_answer(doubled):
    assert await asyncio.gather(*map(doubled, range(1000))) == [2 * n for n in range(1000)]


async def test_who_comes_alone_goes_at_once(doubled, store):
    assert await doubled(3) == 6
    assert store.companies == [[3]]


async def test_who_comes_while_others_are_served_goes_together_in_order(doubled, store):
    store.is_open.clear()
    first = asyncio.create_task(doubled(0))
    await asyncio.wait_for(store.has_company.wait(), 120)
    rest = [asyncio.create_task(doubled(n)) for n in range(1, 6)]
    await asyncio.sleep(0)
    store.is_open.set()
    await asyncio.gather(first, *rest)
    assert store.companies == [[0], [1, 2, 3, 4, 5]]


async def test_a_company_has_its_bound(doubled, store):
    await asyncio.gather(*map(doubled, range(3 * AT_MOST)))
    assert max(map(len, store.companies)) == AT_MOST


async def test_answers_that_do_not_match_are_a_failure_and_the_next_is_served():
    answers = [[], [6]]

    async def carry_out(numbers: list[int]) -> list[int]:
        return answers.pop(0)

    coalesced = Coalesced(carry_out)
    with pytest.raises(ValueError, match="shorter"):
        await asyncio.wait_for(coalesced(3), 120)
    assert await asyncio.wait_for(coalesced(3), 120) == 6


async def test_a_failure_reaches_its_company_and_the_next_is_served(doubled):
    answers = await asyncio.gather(doubled(-1), doubled(1), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    assert await doubled(2) == 4


async def test_who_is_cancelled_hinders_nobody(doubled):
    first, second = asyncio.create_task(doubled(1)), asyncio.create_task(doubled(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 4


async def test_pace_is_asked_for_before_each_wait(store):
    paces = []

    def pace_s():
        paces.append(0.01)
        return paces[-1]

    doubled = Coalesced(store.double, pace_s=pace_s)
    assert [await doubled(1), await doubled(2)] == [2, 4]
    assert paces
