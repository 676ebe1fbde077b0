"""The page that hears by itself, beside the server's hearing: turns cut off, and how late their ends are."""

from statistics import median

import pytest

from tests.node import needs_node
from tests.page_turns import heard_in_recordings

pytestmark = pytest.mark.benchmarks

PAUSES_S = (0.0, 1.5, 2.0, 2.4)


@needs_node
@pytest.mark.parametrize("noise_db", [-80, -60, -50, -40, -35])
def test_page_beside_server(shared_speech, tmp_path, noise_db, figure):
    heard = [
        each
        for pause_s in PAUSES_S
        for each in heard_in_recordings(tmp_path, pause_s=pause_s, noise_db=noise_db)
    ]
    for who in ("server", "page"):
        cut_off = sum(any(at < each.said_s for at in getattr(each, who)) for each in heard)
        figure(f"noise {noise_db} dBFS: cut off by the {who}", cut_off, f"of {len(heard)}")
    later_s = sorted(each.page[-1] - each.server[-1] for each in heard if each.page and each.server)
    figure(f"noise {noise_db} dBFS: the page's end after the server's, median", median(later_s), "s")
    figure(f"noise {noise_db} dBFS: latest", later_s[-1], "s")
