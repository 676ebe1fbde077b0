"""Interpreter settings for a process with many connections."""

import gc

COLLECT_AFTER = (10_000, 2, 2)
"""Thresholds of the garbage collector: new objects per collection, and collections per older generation.

Ended connections and requests leave reference cycles of 300 objects each. With Python's own second and third
threshold, up to a million of these objects piled up. The oldest generation is collected when it has grown by
a quarter.
"""
SWITCH_S = 0.0005
"""Time after which a running thread releases Python's lock to a waiting one. The event loop needs the lock
after each system call, several times a frame. Behind five busy threads it was 18 ms late (p95) at Python's
default of 5 ms; now it is 5 ms late.
"""


def freeze_loaded_objects() -> None:
    """Exclude the loaded objects from garbage collection and collect less often: all of Django takes 70 ms.

    Frames leave no cycles, but at Python's default of 700 objects collections ran many times a second.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # resets the count of long-lived objects, which delays full collections
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()
