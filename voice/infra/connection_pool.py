"""How many connections to PostgreSQL a process keeps."""

from typing import Final

from django.conf import settings
from django.db import connection

SPARE_CONNECTIONS: Final = 2
"""Of a worker, besides those of its slots: for /ready and /metrics."""


def fit(n_slots: int) -> str:
    """Let a worker's pool have a connection for each slot; return a warning where it may not, else "".

    A slot holds its connection for a whole job, and gives up after 10 s without one. Call it before the first
    connection.
    """
    wanted, configured = n_slots + SPARE_CONNECTIONS, settings.DATABASE_POOL_SIZE
    if configured:
        return (
            f"DATABASE_POOL_SIZE is {configured}, but {n_slots} slots need {wanted}: jobs will fail."
            if configured < wanted
            else ""
        )
    pool = connection.settings_dict["OPTIONS"].get("pool")
    if isinstance(pool, dict):
        pool["max_size"] = wanted
    return ""
