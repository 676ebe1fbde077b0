"""Settings of the interpreter that a process with many connections needs."""

import gc

COLLECT_AFTER = (10_000, 2, 2)
"""New objects that live until Python looks for cycles among them; so many times until it looks at older ones.

Connections and requests that have ended leave cycles, 300 objects each. With Python's own second and third
number they lay there until a million had gathered. The oldest are looked at when they are a quarter more.
"""
SWITCH_S = 0.0005
"""After so long a thread that works hands Python's lock to one that waits. The event loop asks for it after
each system call, several a frame: behind five busy threads it was 18 ms late (p95) with Python's own 5 ms,
now 5.
"""


def freeze_loaded_objects() -> None:
    """Let the collector look only at what comes later, and less often: all of Django takes it 70 ms.

    Frames leave no cycles: with Python's own threshold of 700 objects it looked for them many times a second.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # what is frozen counts no more: else much has to come before it is looked at
    gc.set_threshold(*COLLECT_AFTER)
