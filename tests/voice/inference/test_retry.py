import pytest

from voice.errors import AudioRejected, EngineUnavailable, TransientFailure
from voice.inference.retry import ONCE, Retry


class Work:
    """Work that raises one error in each call, and then returns."""

    def __init__(self, *errors):
        self.errors, self.calls = list(errors), 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


@pytest.fixture
def pauses():
    """The recorded pauses."""
    return []


@pytest.fixture
def retry(pauses):
    return Retry(sleep=pauses.append)


def test_transient_failure_is_tried_again(retry, pauses):
    work, retried = Work(TransientFailure("reset"), TransientFailure("503")), []

    assert retry.call(work, on_retry=lambda: retried.append(work.calls)) == "done"

    assert work.calls == 3
    assert retried == [1, 2]


def test_last_of_three_failures_is_told(retry):
    work = Work(*(TransientFailure(str(number)) for number in range(1, 6)))

    with pytest.raises(TransientFailure, match="3"):
        retry.call(work)
    assert work.calls == 3


@pytest.mark.parametrize("error", [EngineUnavailable("no key"), AudioRejected("NaN"), ValueError("a fault")])
def test_permanent_failure_is_told_at_once(retry, pauses, error):
    work = Work(error)

    with pytest.raises(type(error)):
        retry.call(work)
    assert (work.calls, pauses) == (1, [])


def test_nothing_is_tried_again_that_may_not_be(retry, pauses):
    work = Work(TransientFailure("reset"))

    with pytest.raises(TransientFailure):
        retry.call(work, may_retry=lambda: False)
    assert (work.calls, pauses) == (1, [])


def test_pauses_double_up_to_the_longest(pauses):
    with pytest.raises(TransientFailure):
        Retry(tries=7, sleep=pauses.append).call(Work(*[TransientFailure("503")] * 7))

    expected = [1, 2, 4, 8, 10, 10]
    assert all(least <= pause <= least + 1 for least, pause in zip(expected, pauses, strict=True))
    assert max(pauses) <= 10


def test_pauses_differ_between_processes():
    pauses = []
    for _ in range(20):
        with pytest.raises(TransientFailure):
            Retry(tries=2, sleep=pauses.append).call(Work(*[TransientFailure("503")] * 2))

    assert len(set(pauses)) > 1


def test_once_is_not_tried_again():
    work = Work(TransientFailure("reset"))

    with pytest.raises(TransientFailure):
        ONCE.call(work)
    assert work.calls == 1


def test_numbers_are_those_of_the_settings(settings):
    settings.RETRY_TRIES, settings.RETRY_FIRST_S, settings.RETRY_LONGEST_S = 5, 0.5, 4

    retry = Retry.from_settings()

    assert (retry.tries, retry.first_s, retry.longest_s) == (5, 0.5, 4)
