"""Texts in PostgreSQL, encrypted with a data key.

    stored = values.encrypted("I built it", key_id=key_id, about="voice_transcript.text")
    values.decrypted(stored, about="voice_transcript.text")

A stored text names its key, so it can be read without the row around it. One that was moved to another column
or to a row of another key is refused.
"""

import secrets
from base64 import b64decode, b64encode
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from voice.encryption import keys
from voice.errors import DecryptionFailed

MARK: Final = "\x1fipe1:"
"""What encrypted texts begin with. No recogniser writes a control character, and no form takes one."""
ID_BYTES: Final = 16
NONCE_BYTES: Final = 12


def encrypted(text: str, *, key_id: UUID | None, about: str) -> str:
    """Return the text as it is stored: encrypted, unless it is empty, is so already, or there is no key.

    about: the table and the column. Raises VoiceError and OSError as `keys.of`.
    """
    if key_id is None or not text or is_encrypted(text):
        return text
    nonce = secrets.token_bytes(NONCE_BYTES)
    ciphertext = _cipher(key_id).encrypt(nonce, text.encode(), about.encode())
    return MARK + b64encode(key_id.bytes + nonce + ciphertext).decode()


def decrypted(stored: str, *, about: str) -> str:
    """Return the text; one that is not encrypted as it is. Raises DecryptionFailed, and as `keys.of`."""
    if not is_encrypted(stored):
        return stored
    try:
        content = b64decode(stored.removeprefix(MARK), validate=True)
        key_id, sealed = UUID(bytes=content[:ID_BYTES]), content[ID_BYTES:]
        text = _cipher(key_id).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError):
        raise DecryptionFailed(f"A text of {about} is not what was written: restore it.") from None
    return text.decode()


def is_encrypted(stored: object) -> bool:
    return isinstance(stored, str) and stored.startswith(MARK)


def _cipher(key_id: UUID) -> AESGCM:
    about = HKDF(SHA256(), length=32, salt=None, info=b"texts")
    return AESGCM(about.derive(keys.of(key_id)))
