"""How many candidates a fault meets and how long it lasts: less in `make test`, more in `make proof`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from interview_platform.demo.supervisor import Program
from tests.stack import small


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of one run.

    candidates: who speak while something breaks; on hosts apart: candidates_of_hosts.
    erased: who are erased while the others speak.
    speak_on_s: how long they speak beside rude clients.
    away_s: how long a store is away.
    ill_s: how long object storage fails or hangs.
    full_s: how long the disk is full.
    frozen_s: how long a web process is frozen.
    stalled_s: how long the storing workers are frozen, and Redis is at its memory limit.
    cut_s: how long a host is cut off.
    silent_clients: connections that say nothing; the server lets them go after idle_s.
    wrong_sign_ins: passwords that are tried at once; each page of a candidate comes within page_within_s.
    adapted: makes of the demo's programs those of this size.
    """

    candidates: int
    candidates_of_hosts: int
    erased: int
    speak_on_s: float
    away_s: float
    ill_s: float
    full_s: float
    frozen_s: float
    stalled_s: float
    cut_s: float
    silent_clients: int
    idle_s: float
    wrong_sign_ins: int
    page_within_s: float
    adapted: Callable[[Sequence[Program]], list[Program]]


SHORT = Scale(
    candidates=6,
    candidates_of_hosts=6,
    erased=5,
    speak_on_s=3,
    away_s=3,
    ill_s=4,
    full_s=4,
    frozen_s=2,
    stalled_s=1,
    cut_s=7,
    silent_clients=100,
    idle_s=15,
    wrong_sign_ins=64,
    page_within_s=8,  # on a machine that others use; without the limit it was 10 s, and then an error
    adapted=small,
)
FULL = Scale(
    candidates=50,
    candidates_of_hosts=100,
    erased=100,
    speak_on_s=5,
    away_s=6,
    ill_s=60,
    full_s=6,
    frozen_s=25,
    stalled_s=20,
    cut_s=30,
    silent_clients=500,
    idle_s=60,  # Twisted's own
    wrong_sign_ins=200,
    page_within_s=1,
    adapted=list,
)
