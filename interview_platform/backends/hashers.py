"""Password hashes made one at a time, without a database connection, after all other work.

A hash takes a third of a second of one core. Django makes it in the thread of the request, which keeps its
database connection: a few dozen sign-ins at once left none for candidates. Here the connection goes back to
the pool first, and one thread of low priority makes the hashes of a process.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connections

NICE = 10
"""Priority of the thread that hashes: candidates' pages and frames come first."""


def _step_back() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + NICE)


_hashing = ThreadPoolExecutor(1, "hashing", initializer=_step_back)


class PatientPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's hasher with the same hashes; see the module."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash, made in the thread that hashes."""
        give_connections_back()
        return _hashing.submit(super().encode, password, salt, iterations).result()


def give_connections_back() -> None:
    """Return this thread's connections to the pool, except in a transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
