"""The page's own hearing, on recordings of people with pauses cut in, beside the server's."""

import pytest

from tests.node import needs_node
from tests.page_turns import SILENCE_ALONE, heard_in_recordings

PAUSE_S = 1.5
"""A normal interview ends no turn at such a pause."""


@needs_node
@pytest.mark.parametrize("noise_db", [-80, -60, -50])
def test_page_cuts_nobody_off_whom_the_server_would_let_go_on(shared_speech, tmp_path, noise_db):
    recordings = heard_in_recordings(tmp_path, pause_s=PAUSE_S, noise_db=noise_db)
    assert len(recordings) >= 10
    for heard in recordings:
        assert len(heard.page) <= len(heard.server), heard
        assert heard.page, f"the turn never ends: {heard}"
        assert heard.server[-1] - 1.0 <= heard.page[-1], heard
        assert heard.page[-1] <= heard.said_s + 2 * SILENCE_ALONE.end_silence_ms / 1000, heard
