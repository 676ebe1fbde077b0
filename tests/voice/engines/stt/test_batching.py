import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from voice.engines.stt.batching import Batcher, BatchPlan, Line, Work

DEADLINE_S = 120


def plan() -> BatchPlan:
    return BatchPlan(max_items=3, max_wait_s=0.5)


def test_plan_gives_nothing_before_the_wait_is_over():
    batches = plan()
    batches.add("en", 1, now_s=10.0)

    assert batches.take(10.4) is None
    assert batches.due_at_s() == 10.5
    assert batches.take(10.5) == ("en", [1])
    assert batches.due_at_s() is None


def test_plan_gives_a_full_batch_at_once_and_keeps_the_rest():
    batches = plan()
    for item in range(4):
        batches.add("en", item, now_s=item / 10)

    assert batches.take(0.3) == ("en", [0, 1, 2])
    assert batches.take(0.3) is None
    assert batches.due_at_s() == pytest.approx(0.8)


def test_plan_never_mixes_keys_and_serves_the_oldest_first():
    batches = plan()
    batches.add("de", "alt", now_s=0.0)
    batches.add("en", "new", now_s=0.1)

    assert [batches.take(9.0), batches.take(9.0), batches.take(9.0)] == [
        ("de", ["alt"]),
        ("en", ["new"]),
        None,
    ]


def test_plan_that_is_emptied_gives_what_waits_without_waiting():
    batches = plan()
    batches.add("en", 1, now_s=0.0)

    assert len(batches) == 1
    assert batches.take_any() == ("en", [1])
    assert batches.take_any() is None


@pytest.mark.parametrize("limits", [{"max_items": 0, "max_wait_s": 1}, {"max_items": 1, "max_wait_s": -1}])
def test_plan_with_impossible_limits_is_refused(limits):
    with pytest.raises(ValueError, match="batch"):
        BatchPlan(**limits)


def test_plan_lets_others_go_before_what_stands_back():
    batches = BatchPlan(max_items=2, max_wait_s=0)
    batches.add("en", "caption", now_s=0.0, behind_s=1.0)
    batches.add("en", "final", now_s=0.5)
    batches.add("en", "late final", now_s=1.5)

    assert [batches.take(2.0), batches.take(2.0)] == [("en", ["final", "caption"]), ("en", ["late final"])]


def line() -> Line:
    return Line(max_items=2, max_wait_s=0.4, has_preparation=True)


def test_a_lone_item_is_prepared_and_run_at_once():
    items = line()
    items.add("en", 1, now_s=0.0)

    assert items.next(0.0) == Work("en", [1], is_preparation=True)
    items.add("en", 1, now_s=0.1, is_prepared=True)
    assert items.next(0.1) == Work("en", [1])
    assert items.next(0.1) is None


def test_while_items_wait_to_be_prepared_a_batch_fills():
    items = line()
    for item in (1, 2, 3):
        items.add("en", item, now_s=0.0)
    items.add("en", 0, now_s=0.0, is_prepared=True)

    assert items.next(0.1) == Work("en", [1], is_preparation=True)
    items.add("en", 1, now_s=0.2, is_prepared=True)
    assert items.next(0.2) == Work("en", [0, 1])
    assert items.next(0.2) == Work("en", [2], is_preparation=True)


def test_what_is_prepared_does_not_wait_longer_than_it_may():
    items = line()
    items.add("en", 0, now_s=0.0, is_prepared=True)
    items.add("en", 1, now_s=0.3)

    assert items.next(0.4) == Work("en", [0])


def test_items_are_prepared_one_by_one_and_run_together_under_the_key_that_they_were_given(ran):
    prepared = threading.Barrier(3)

    def prepare(key, item):
        prepared.wait(DEADLINE_S)
        return "found", item + 1

    def run(key, items):
        ran.append((key, sorted(items)))
        return items

    batcher = Batcher(run, max_items=3, max_wait_ms=60_000, prepare=prepare, threads=3)
    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda item: batcher.call("any", item, timeout_s=DEADLINE_S), range(3)))
    batcher.close(timeout_s=DEADLINE_S)

    assert results == [1, 2, 3]
    assert {key for key, _ in ran} == {"found"}


def test_an_item_that_is_prepared_already_is_only_run(ran):
    batcher = Batcher(lambda key, items: items, max_items=1, max_wait_ms=0, prepare=lambda key, item: 1 / 0)

    assert batcher.submit("en", 7, is_prepared=True).result(DEADLINE_S) == 7
    with pytest.raises(ZeroDivisionError):
        batcher.call("en", 7, timeout_s=DEADLINE_S)
    batcher.close(timeout_s=DEADLINE_S)


@pytest.fixture
def ran():
    return []


@pytest.fixture
def batcher(ran):
    def double(key, items):
        ran.append((key, list(items)))
        return [2 * item for item in items]

    batcher = Batcher(double, max_items=4, max_wait_ms=200)
    yield batcher
    batcher.close(timeout_s=DEADLINE_S)


def test_callers_of_one_batch_get_their_own_results(batcher, ran):
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda item: batcher.call("en", item, timeout_s=DEADLINE_S), range(4)))

    assert results == [0, 2, 4, 6]
    assert [(key, sorted(items)) for key, items in ran] == [("en", [0, 1, 2, 3])]


def test_sizes_of_runs_are_told():
    sizes = []
    batcher = Batcher(lambda key, items: items, max_items=2, max_wait_ms=60_000, when_run=sizes.append)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda item: batcher.call("en", item, timeout_s=DEADLINE_S), range(2)))
    batcher.close(timeout_s=DEADLINE_S)
    assert sizes == [2]


def test_a_lone_caller_is_served_after_the_wait(batcher):
    assert batcher.call("en", 21, timeout_s=DEADLINE_S) == 42


def test_items_that_come_while_a_batch_runs_form_the_next_one():
    started, go, sizes = threading.Event(), threading.Event(), []

    def run(key, items):
        sizes.append(len(items))
        started.set()
        assert go.wait(DEADLINE_S)
        return items

    batcher = Batcher(run, max_items=8, max_wait_ms=0)
    first = batcher.submit("en", 1)
    assert started.wait(DEADLINE_S)
    later = [batcher.submit("en", item) for item in range(5)]
    go.set()

    assert first.result(DEADLINE_S) == 1
    assert [future.result(DEADLINE_S) for future in later] == list(range(5))
    assert sizes == [1, 5]
    batcher.close(timeout_s=DEADLINE_S)


def test_an_error_reaches_only_the_caller_at_fault():
    def run(key, items):
        if "bad" in items:
            raise ValueError("bad item")
        return items

    batcher = Batcher(run, max_items=3, max_wait_ms=1000)
    futures = [batcher.submit("en", item) for item in ("good", "bad", "fine")]

    assert futures[0].result(DEADLINE_S) == "good"
    assert futures[2].result(DEADLINE_S) == "fine"
    with pytest.raises(ValueError, match="bad item"):
        futures[1].result(DEADLINE_S)
    assert batcher.call("en", "next", timeout_s=DEADLINE_S) == "next"
    batcher.close(timeout_s=DEADLINE_S)


def test_a_batch_with_too_few_results_is_an_error():
    batcher = Batcher(lambda key, items: [], max_items=1, max_wait_ms=0)

    with pytest.raises(RuntimeError, match="0 results"):
        batcher.call("en", 1, timeout_s=DEADLINE_S)
    batcher.close(timeout_s=DEADLINE_S)


def test_a_cancelled_item_is_left_out(ran):
    release = threading.Event()

    def run(key, items):
        ran.extend(items)
        assert release.wait(DEADLINE_S)
        return items

    batcher = Batcher(run, max_items=1, max_wait_ms=0)
    first, second, third = (batcher.submit("en", item) for item in range(3))
    assert second.cancel()
    release.set()

    assert [first.result(DEADLINE_S), third.result(DEADLINE_S)] == [0, 2]
    assert ran == [0, 2]
    batcher.close(timeout_s=DEADLINE_S)


def test_close_serves_what_waits_then_refuses(ran):
    batcher = Batcher(lambda key, items: items, max_items=99, max_wait_ms=60_000)
    waiting = batcher.submit("en", 7)

    batcher.close(timeout_s=DEADLINE_S)
    batcher.close(timeout_s=DEADLINE_S)

    assert waiting.result(0) == 7
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit("en", 8)


@pytest.fixture
def gate():
    """An event that runs with "stuck" items wait for."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def hanging(gate):
    def run(key, items):
        if "stuck" in items:
            assert gate.wait(120)
        return items

    batcher = Batcher(run, max_items=1, max_wait_ms=0, threads=2)
    yield batcher
    gate.set()
    batcher.close()


def test_several_threads_run_batches_at_a_time():
    together = threading.Barrier(2)

    def run(key, items):
        together.wait(120)
        return items

    batcher = Batcher(run, max_items=1, max_wait_ms=0, threads=2)
    futures = [batcher.submit("en", item) for item in "ab"]

    assert [future.result(10) for future in futures] == ["a", "b"]
    batcher.close()


def test_a_run_that_hangs_is_given_up(hanging):
    stuck = hanging.submit("en", "stuck")

    with pytest.raises(TimeoutError, match="has not returned"):
        hanging.result_of(stuck, longest_run_s=0.05)

    assert hanging.longest_run_s() >= 0.05


def test_beside_a_run_that_hangs_another_thread_goes_on(hanging):
    hanging.submit("en", "stuck")

    assert hanging.result_of(hanging.submit("en", "fine"), longest_run_s=20) == "fine"


def test_what_waits_behind_runs_that_hang_is_taken_back(hanging, gate):
    stuck = [hanging.submit("en", "stuck") for _ in range(2)]
    waiting = hanging.submit("en", "waiting")

    with pytest.raises(TimeoutError):
        hanging.result_of(waiting, longest_run_s=0.05)

    assert waiting.cancelled()
    gate.set()
    assert [future.result(10) for future in stuck] == ["stuck", "stuck"]


def test_nothing_runs_when_all_is_done(hanging):
    assert hanging.result_of(hanging.submit("en", "fine"), longest_run_s=20) == "fine"
    hanging.close()

    assert hanging.longest_run_s() == 0.0


def test_closing_leaves_a_run_that_hangs_behind(hanging):
    hanging.submit("en", "stuck")

    hanging.close(timeout_s=0.05)

    with pytest.raises(RuntimeError, match="closed"):
        hanging.submit("en", "late")
