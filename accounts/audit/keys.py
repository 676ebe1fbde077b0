"""The keys of the chain. They are a setting, so that the database alone makes no valid link.

The newest comes first and signs; all verify. A link says by the first characters of a key's hash which one it
was.
"""

import hashlib
import hmac
import json
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.utils.crypto import salted_hmac

SHOWN: Final = 8


class UnknownKey(Exception):
    """No key of AUDIT_KEYS has this name."""


def newest() -> str:
    """Return the name of the key that signs."""
    return next(iter(_keys()))


def sign(what: str, content: Any, *, key: str, before: bytes = b"") -> bytes:
    """Return the keyed hash (HMAC-SHA-256, 32 bytes) of what can be written as JSON.

    what: for what purpose, so that no signature serves for another. key: its name. before: the link before.

    Raises:
        UnknownKey: AUDIT_KEYS does not hold it any more.
    """
    written = json.dumps([what, before.hex(), content], sort_keys=True, separators=(",", ":"))
    try:
        secret = _keys()[key]
    except KeyError:
        raise UnknownKey(key) from None
    return hmac.digest(secret, written.encode(), hashlib.sha256)


def is_signed(signature: bytes, what: str, content: Any, *, key: str, before: bytes = b"") -> bool:
    """Whether the signature is right. Raises UnknownKey."""
    return hmac.compare_digest(signature, sign(what, content, key=key, before=before))


def is_own() -> bool:
    """Whether AUDIT_KEYS is set; else the key is derived from SECRET_KEY."""
    return bool(settings.AUDIT_KEYS)


def _keys() -> dict[str, bytes]:
    return _named(tuple(settings.AUDIT_KEYS), settings.SECRET_KEY)


@cache
def _named(own: tuple[str, ...], secret_key: str) -> dict[str, bytes]:
    derived = salted_hmac("accounts.audit", "chain", secret=secret_key, algorithm="sha256").digest()
    secrets = [key.encode() for key in own] or [derived]
    return {hashlib.sha256(b"name of " + secret).hexdigest()[:SHOWN]: secret for secret in secrets}
