from interviews.candidate.noticing import AT_ONCE, ONE_EVERY_S, Noticing


def test_page_that_notices_without_end_is_heard_now_and_then():
    noticing = Noticing()
    assert [noticing.may_note(0.0) for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]
    assert not noticing.may_note(0.5)
    assert noticing.may_note(ONE_EVERY_S)


def test_return_ends_something_once_for_each_time_the_page_was_left():
    noticing = Noticing()
    assert noticing.may_return()  # another connection may have seen it leave
    assert not noticing.may_return()
    noticing.may_leave(0.0)
    assert noticing.may_return()
    assert not noticing.may_return()
