"""The heads of all chains, kept outside the database: in object storage, a file for each day, and in the log.

Whoever cuts the newest entries off, with their links, leaves a chain that is right in itself. But it ends
before the head that was kept.
"""

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts import metrics
from accounts.audit import chain, keys
from accounts.audit.chain import Head

logger = logging.getLogger(__name__)

DIRECTORY: Final = "audit/heads"
HEADS: Final = "heads"


class BadHeads(Exception):
    """A file of heads that is not signed by one of our keys."""


def keep(now: datetime) -> int:
    """Write today's heads to object storage and to the log, if some are new. Return how many are.

    Raises OSError while object storage is away; the log has them already.
    """
    name = file_name(now.astimezone(UTC).date())
    found = chain.heads(chain.organisations())
    before: Mapping[int, Head] = {}
    with contextlib.suppress(BadHeads):
        before = read(name) if default_storage.exists(name) else {}
    changed = {
        of: head for of, head in found.items() if before.get(of) != head and not _is_lost(of, before.get(of))
    }
    for of, head in changed.items():
        logger.info("audit head: organisation %d, number %d, %s", of, head.number, head.mac.hex())
    if changed:
        default_storage.save(name, ContentFile(_written({**before, **changed})))
    return len(changed)


def _is_lost(of: int, head: Head | None) -> bool:
    """Whether the chain does not hold a head that was kept. It is kept then, until somebody has looked."""
    if head is None or chain.holds(of, head):
        return False
    logger.error("audit of organisation %d: cut off: number %d is not in the chain", of, head.number)
    metrics.AUDIT_FINDINGS.inc()
    return True


def file_name(day: date) -> str:
    """Return the name of a day's heads in object storage."""
    return f"{DIRECTORY}/{day:%Y-%m-%d}.json"


def kept() -> Iterator[tuple[str, Mapping[int, Head]]]:
    """Yield each file with its heads, the oldest first. Raises BadHeads, OSError."""
    for name in names():
        yield name, read(name)


def names() -> list[str]:
    """Return the names of all files, the oldest first."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(
            f"{DIRECTORY}/{name}" for name in default_storage.listdir(DIRECTORY)[1] if name.endswith(".json")
        )
    return []


def forget(before: date) -> None:
    """Delete the heads of days before this one."""
    for name in names():
        if name < file_name(before):
            default_storage.delete(name)


def read(name: str) -> dict[int, Head]:
    """Return the heads in a file. Raises BadHeads."""
    with default_storage.open(name) as file:
        text = file.read()
    try:
        content = json.loads(text)
        is_ours = keys.is_signed(
            bytes.fromhex(content["signature"]), HEADS, content["heads"], key=content["key"]
        )
        found = {int(of): Head(number, bytes.fromhex(mac)) for of, (number, mac) in content["heads"].items()}
    except (keys.UnknownKey, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadHeads(name) from error
    if not is_ours:
        raise BadHeads(name)
    return found


def _written(heads: Mapping[int, Head]) -> bytes:
    listed: dict[str, Any] = {str(of): [head.number, head.mac.hex()] for of, head in sorted(heads.items())}
    key = keys.newest()
    content = {"heads": listed, "key": key, "signature": keys.sign(HEADS, listed, key=key).hex()}
    return json.dumps(content).encode()
