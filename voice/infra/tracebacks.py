"""Report where an error happened without its message, which may quote a speaker."""

from pathlib import Path
from types import TracebackType


def place_of(trace: TracebackType | None) -> str:
    """Where it was raised: "base.py:12"."""
    return places_of(trace).rpartition(" > ")[2]


def places_of(trace: TracebackType | None) -> str:
    """Return the places, outermost first: "jobs.py:57 > base.py:12"."""
    places = []
    while trace:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places)
