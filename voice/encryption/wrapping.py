"""The keys that wrap data keys: they never lie in a store of the platform.

`settings.VOICE["KEY_WRAPPING"]` names the class. A key management service is reached by a class of your own
with the same three methods; nothing else knows how data keys are wrapped.
"""

import secrets
from collections.abc import Sequence
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.module_loading import import_string

from voice.errors import DecryptionFailed, KeyUnavailable

NONCE_BYTES: Final = 12
SHORTEST_KEY: Final = 32
"""Characters. `openssl rand -base64 48`, which has 64, is a good key."""


class Wrapping(Protocol):
    """Wraps and unwraps data keys. `about` names the data key: one that was wrapped as another is refused."""

    def newest(self) -> str:
        """Return the id of the key that wraps, without a secret. At most 200 characters."""

    def wrap(self, data_key: bytes, *, key_id: str, about: bytes) -> bytes:
        """Return the data key, wrapped by the key with this id. Raises KeyUnavailable or OSError."""

    def unwrap(self, wrapped: bytes, *, key_id: str, about: bytes) -> bytes:
        """Return the data key. Raises KeyUnavailable, DecryptionFailed or OSError."""


class LocalKeys:
    """Keys from the environment or from a file: `ENCRYPTION_KEYS`, newest first."""

    def __init__(self, secrets_: Sequence[str] | None = None) -> None:
        """secrets_: texts of `SHORTEST_KEY` characters or more; None: those of the settings."""
        texts = settings.VOICE["ENCRYPTION_KEYS"] if secrets_ is None else secrets_
        self._keys = {_derived(text, "id")[:8].hex(): AESGCM(_derived(text, "wrap")) for text in texts}

    def newest(self) -> str:
        """Return the id of the first key. Raises KeyUnavailable."""
        for key_id in self._keys:
            return key_id
        raise KeyUnavailable("ENCRYPTION_KEYS is empty: no data key can be made.")

    def wrap(self, data_key: bytes, *, key_id: str, about: bytes) -> bytes:
        """Return nonce and AES-256-GCM of the data key. Raises KeyUnavailable."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._key(key_id).encrypt(nonce, data_key, about)

    def unwrap(self, wrapped: bytes, *, key_id: str, about: bytes) -> bytes:
        """Return the data key. Raises KeyUnavailable or DecryptionFailed."""
        try:
            return self._key(key_id).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
        except (InvalidTag, ValueError):
            raise DecryptionFailed("A data key is not what was written: take it from another copy.") from None

    def _key(self, key_id: str) -> AESGCM:
        if key_id not in self._keys:
            raise KeyUnavailable(
                f"A data key was wrapped by the key {key_id}, which ENCRYPTION_KEYS does not hold any more. "
                "Add it at the end."
            )
        return self._keys[key_id]


def configured() -> Wrapping:
    """Return what wraps data keys here."""
    wrapping: Wrapping = import_string(settings.VOICE["KEY_WRAPPING"])()
    return wrapping


def _derived(text: str, purpose: str) -> bytes:
    """Return 32 bytes for one purpose."""
    about = f"voice data keys: {purpose}".encode()
    return HKDF(SHA256(), length=32, salt=None, info=about).derive(text.encode())
