import pytest

from voice.engines.stt.whisper_contexts import RULES, STEP_FRAMES, WINDOW_FRAMES, ContextRule, rule_for

RULE = ContextRule(steps_s=(10.0, 15.0), margin_s=2.0, caption_steps_s=(6.0,), caption_margin_s=1.0)


@pytest.mark.parametrize(
    ("n_frames", "is_partial", "context"),
    [
        (1, False, 1008),
        (808, False, 1008),
        (809, False, 1504),
        (1304, False, 1504),
        (1305, False, WINDOW_FRAMES),
        (508, True, 608),
        (509, True, WINDOW_FRAMES),
    ],
)
def test_a_window_gets_the_first_context_that_leaves_the_margin(n_frames, is_partial, context):
    assert RULE.context(n_frames, is_partial=is_partial) == context


@pytest.mark.parametrize("width", [*RULES, 1280])
@pytest.mark.parametrize("is_partial", [False, True])
def test_no_context_is_shorter_than_its_window_and_longer_ones_never_get_shorter(width, is_partial):
    contexts = [
        rule_for(width).context(length, is_partial=is_partial) for length in range(1, WINDOW_FRAMES + 1)
    ]

    assert contexts == sorted(contexts)
    assert all(length <= context for length, context in enumerate(contexts, start=1))
    assert all(context % STEP_FRAMES == 0 or context == WINDOW_FRAMES for context in contexts)
