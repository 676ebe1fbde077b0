"""Change the pace of speech but not its pitch, for vendors whose voices have only one pace."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from voice.types import Samples


def paced(pieces: Iterator[Samples], *, rate_hz: int, speed: float) -> Iterator[Samples]:
    """Yield `pieces` (float32[n_samples] each, one stream) `speed` times as fast, piece by piece.

    Source: FFmpeg, filter atempo (waveform similarity overlap-add), 0.5..100.
    """
    if speed == 1.0:
        yield from pieces
        return
    import av

    graph = av.filter.Graph()
    source = graph.add_abuffer(
        format="flt", sample_rate=rate_hz, layout="mono", time_base=Fraction(1, rate_hz)
    )
    graph.link_nodes(source, graph.add("atempo", f"{speed:.4f}"), graph.add("abuffersink")).configure()

    def ready() -> Iterator[Samples]:
        while True:
            try:
                frame = graph.pull()
            except (av.BlockingIOError, av.EOFError):  # needs more input, or is at its end
                return
            yield np.asarray(frame.to_ndarray()[0], np.float32)

    for samples in pieces:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], "flt", "mono")
        frame.sample_rate = rate_hz
        graph.push(frame)
        yield from ready()
    graph.push(None)
    yield from ready()
