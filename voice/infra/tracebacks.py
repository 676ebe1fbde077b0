"""Where an error happened, without what it says: the message may quote what somebody said."""

from pathlib import Path
from types import TracebackType


def place_of(trace: TracebackType | None) -> str:
    """Where it was raised: "base.py:12"."""
    return places_of(trace).rpartition(" > ")[2]


def places_of(trace: TracebackType | None) -> str:
    """Where it happened, outermost first: "jobs.py:57 > base.py:12"."""
    places = []
    while trace:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places)
