"""Jobs as they lie in Redis: whoever can write there must not be able to run anything but our own jobs.

RQ pickles by default, and reading a pickle runs what it says. RQ also imports any function that a job names,
as job or as callback, and sends webhooks. Here jobs are JSON; only functions in `settings.JOBS` are imported,
and only ids are handed to them. A job that is anything else is dropped, also one of an earlier version, which
was pickled: PostgreSQL holds the row that waits for it, and the sweeper queues it again.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from rq import serializers
from rq.exceptions import NoSuchJobError
from rq.job import Job

logger = logging.getLogger(__name__)

FIELDS: Final = frozenset(
    (
        *("data", "description", "origin", "status", "exc_info"),
        *("created_at", "enqueued_at", "started_at", "ended_at", "last_heartbeat", "worker_name"),
        *("timeout", "ttl", "result_ttl", "failure_ttl"),
    )
)
"""What is read of a job. RQ also knows callbacks, webhooks, dependencies and retries, which we do not use."""


class NotOurs(Exception):
    """The job is none of this version; the message tells why."""


class Json:
    """RQ's serialiser for everything: jobs, their results and their notes."""

    @staticmethod
    def dumps(value: Any) -> bytes:
        """Return the value as JSON."""
        return json.dumps(value).encode()

    @staticmethod
    def loads(data: bytes) -> Any:
        """Return the value; None where this is no JSON, such as a pickle."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None


class ListedJob(Job):
    """A job whose function is listed in `settings.JOBS`; anything else under its id counts as missing."""

    def restore(self, raw_data: Mapping[Any, Any]) -> None:
        """Read the job from its hash in Redis, or delete it.

        Raises:
            NoSuchJobError: it is not one of ours. RQ passes over such a job.
        """
        try:
            super().restore({name: value for name, value in raw_data.items() if _text(name) in FIELDS})
            self._check()
        except Exception as error:  # noqa: BLE001  whatever somebody wrote there
            reason = str(error) if isinstance(error, NotOurs) else f"unreadable ({type(error).__name__})"
            logger.warning("job %s is dropped: %s", self.id, reason)
            self.connection.delete(self.key)
            raise NoSuchJobError(f"{self.id} is not one of ours") from None

    def _check(self) -> None:
        data = Json.loads(self.data)
        if not isinstance(data, list) or len(data) != 4:
            raise NotOurs("it is not in the form of this version")
        name, instance, args, keywords = data
        check_listed(name)
        if instance is not None or keywords or not _are_ids(args):
            raise NotOurs("its arguments are not ids")


def check_listed(name: Any) -> None:
    """Raise `NotOurs` unless the function with this dotted path is listed in `settings.JOBS`."""
    if name not in settings.JOBS:
        raise NotOurs(f"{name!r:.80} is not listed in settings.JOBS")


def install() -> None:
    """Make `Json` the serialiser of all of RQ, also where RQ falls back to its default."""
    serializers.DefaultSerializer = serializers.PickleSerializer = Json  # type: ignore[assignment, misc]
    serializers.SERIALIZER_ALIASES["pickle"] = Json


def _are_ids(args: Any) -> bool:
    return isinstance(args, list) and all(isinstance(value, (str, int)) for value in args)


def _text(name: bytes | str) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name
