"""Data keys: each belongs to one person, say, and lies wrapped in a store of its own.

    key_id = keys.reserve()         in the transaction that needs it; no store is asked
    keys.of(key_id)                 the key itself, made when it is first needed
    keys.destroy(key_id)            afterwards nothing that was encrypted with it can be read

The row `DataKey` says that a key may be made and used. Whoever makes a key or wraps it anew holds the row,
and whoever destroys it has deleted the row, so a destroyed key never comes back.

The store is `STORAGES["data_keys"]`: a bucket or a directory that no backup of PostgreSQL or of
recordings holds.
"""

import json
import secrets
import threading
import time
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone

from voice.encryption import wrapping
from voice.errors import DecryptionFailed, KeyDestroyed, KeyMissing, VoiceError
from voice.infra import object_storage, sql
from voice.models.data_key import DataKey

ALIAS: Final = "data_keys"
DIRECTORY: Final = "keys/"
FORMAT: Final = 1
KNOWN_S: Final = 60
"""So long a process remembers a key. One that was destroyed is forgotten everywhere after it."""
MOST_KNOWN: Final = 1000
NEWEST: Final = 5
"""Before a key is made, one of so many newest ones must be in the store. Single keys may be lost."""


def reserve() -> UUID | None:
    """Return the id of a new data key; None while encryption is off. Only a row is written."""
    if not settings.VOICE["ENCRYPTION"]:
        return None
    row = DataKey()
    sql.insert(row)
    return row.id


def are_used() -> bool:
    """Whether something is encrypted, or will be."""
    return settings.VOICE["ENCRYPTION"] or DataKey.objects.exists()


def of(key_id: UUID) -> bytes:
    """Return a data key, 32 bytes; it is made if it never was.

    Raises:
        KeyDestroyed: it was destroyed: what it encrypted cannot be read any more.
        KeyMissing: it is not in its store, which may be another one than it should be: try again later.
        KeyUnavailable: the key that wrapped it is not configured.
        DecryptionFailed: what the store holds is damaged.
        OSError: the store is away.
    """
    if (known := _known.get(key_id)) is not None:
        return known
    try:
        key = _read(key_id)
    except FileNotFoundError:
        key = _make(key_id)
    _known.put(key_id, key)
    return key


@transaction.atomic
def _make(key_id: UUID) -> bytes:
    """Make the key, or read the one that another process has made meanwhile."""
    row = DataKey.objects.select_for_update().filter(pk=key_id).first()
    if row is None:
        raise KeyDestroyed(f"The data key {key_id} was destroyed.")
    if store().exists(name_of(key_id)):
        return _read(key_id)  # made meanwhile, or the row is of a restored database
    if row.made_at is not None:
        raise KeyMissing(
            f"The data key {key_id} is not in its store: mount the store, or restore the key from its backup."
        )
    _check_store()
    key = secrets.token_bytes(32)
    _write(key_id, key)
    DataKey.objects.filter(pk=key_id).update(made_at=timezone.now())
    return key


def _check_store() -> None:
    """Raise KeyMissing where the store holds none of the newest keys: a key written there could be lost."""
    made = DataKey.objects.exclude(made_at=None).order_by("-made_at").values_list("pk", flat=True)
    newest = list(made[:NEWEST])
    if newest and not any(exists(each) for each in newest):
        raise KeyMissing("The store of data keys holds none of the newest keys: mount it, or restore them.")


def destroy(key_id: UUID) -> None:
    """Delete a key from its store, all versions of it. Its row must be gone. Raises OSError."""
    _known.forget(key_id)
    object_storage.delete_versions(name_of(key_id), store())


def exists(key_id: UUID) -> bool:
    """Whether the store holds the key."""
    return object_storage.is_there(name_of(key_id), store())


def all_ids() -> list[str]:
    """Return the ids of the keys in the store; none where no store is configured."""
    if ALIAS not in storages.backends:
        return []
    return [
        name.removeprefix(DIRECTORY)
        for name in object_storage.all_names(store())
        if name.startswith(DIRECTORY)
    ]


def forget_all() -> None:
    """Forget the keys that this process remembers."""
    _known.clear()


def rewrap() -> Counter[str]:
    """Wrap every data key by the newest key. No audio is read or written.

    Returns how many were `written`, `current` before, and `unreadable`.
    """
    counts: Counter[str] = Counter()
    for key_id in list(DataKey.objects.exclude(made_at=None).values_list("pk", flat=True)):
        counts[_rewrapped(key_id)] += 1
    counts.pop("gone", None)
    return counts


@transaction.atomic
def _rewrapped(key_id: UUID) -> str:
    if not DataKey.objects.select_for_update().filter(pk=key_id).exists():
        return "gone"
    try:
        if _content(key_id)[0] == wrapping.configured().newest():
            return "current"
        _write(key_id, _read(key_id))
    except (VoiceError, FileNotFoundError):
        return "unreadable"
    return "written"


def _read(key_id: UUID) -> bytes:
    by, wrapped = _content(key_id)
    return wrapping.configured().unwrap(wrapped, key_id=by, about=_about(key_id))


def _content(key_id: UUID) -> tuple[str, bytes]:
    """Return the id of the key that wrapped a data key, and what it made of it."""
    with store().open(name_of(key_id)) as file:
        written = file.read()
    try:
        content = json.loads(written)
        if content["format"] == FORMAT:
            return str(content["wrapped_by"]), b64decode(content["wrapped"])
    except (ValueError, KeyError, TypeError):
        pass  # no JSON, or nothing of ours
    raise DecryptionFailed(f"The file of the data key {key_id} is damaged: take it from another copy.")


def _write(key_id: UUID, key: bytes) -> None:
    """Wrap a key by the newest key, and read it back before anything is encrypted with it."""
    by = wrapping.configured()
    newest = by.newest()
    wrapped = by.wrap(key, key_id=newest, about=_about(key_id))
    content = {"format": FORMAT, "wrapped_by": newest, "wrapped": b64encode(wrapped).decode()}
    store().save(name_of(key_id), ContentFile(json.dumps(content).encode()))
    if _read(key_id) != key:
        raise OSError(f"the store does not hold the data key {key_id} as it was written")


def _about(key_id: UUID) -> bytes:
    return f"data key {key_id}".encode()


def name_of(key_id: UUID) -> str:
    """Return the name of a key's file."""
    return f"{DIRECTORY}{key_id}"


def store() -> Storage:
    """Return the store of the data keys."""
    return storages[ALIAS]


class _Known:
    """The keys that this process used last."""

    def __init__(self) -> None:
        self._keys: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key_id: UUID) -> bytes | None:
        with self._lock:
            self._forget_old()
            return self._keys.get(key_id, (0.0, None))[1]

    def put(self, key_id: UUID, key: bytes) -> None:
        with self._lock:
            self._keys.pop(key_id, None)
            self._keys[key_id] = (time.monotonic() + KNOWN_S, key)
            if len(self._keys) > MOST_KNOWN:
                self._keys.popitem(last=False)

    def forget(self, key_id: UUID) -> None:
        with self._lock:
            self._keys.pop(key_id, None)

    def clear(self) -> None:
        with self._lock:
            self._keys.clear()

    def _forget_old(self) -> None:
        now = time.monotonic()
        while self._keys and next(iter(self._keys.values()))[0] < now:
            self._keys.popitem(last=False)


_known = _Known()
