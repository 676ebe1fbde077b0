"""The secret part of a candidate's link: how it is made, how it is found again, and how it is kept.

The database holds a keyed hash, by which the link is found, and the encrypted token, which is shown again to
those who may invite. Neither can be read or searched without `TOKEN_KEYS` (ADR 19). The newest of these keys
comes first: it writes, and all of them read.
"""

import base64
import hmac
import secrets
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core import signing

REGION_ENDS = "~"
"""Between the name of a region and the token of a link. No token has this character."""
SHORTEST_KEY = 32
"""Characters. `secrets.token_urlsafe(32)`, which has 43, is a good key."""


class UnreadableToken(Exception):
    """The token was encrypted with a key that `TOKEN_KEYS` does not hold any more."""


def new_token() -> str:
    """Return the secret part of a link: 192 random bits."""
    return secrets.token_urlsafe(24)


def in_link(token: str) -> str:
    """Return what a link carries: the token, after the name of this region if it has one.

    By the name the edge knows whose hosts to ask (docs/regions.md). Which region a link names means nothing
    here: links of before the region had a name, or of another name, lead to the same row.
    """
    return f"{settings.REGION}{REGION_ENDS}{_bare(token)}" if settings.REGION else _bare(token)


def _bare(token: str) -> str:
    """Return the token of a link without the name of its region."""
    return token.rpartition(REGION_ENDS)[2]


def digest(token: str) -> bytes:
    """Return the hash under the newest key, which a row keeps: HMAC-SHA256, 32 bytes."""
    return _digest(token, settings.TOKEN_KEYS[0])


def digests(token: str) -> list[bytes]:
    """Return the hash under each key: a row may have been written with any of them."""
    return [_digest(_bare(token), key) for key in settings.TOKEN_KEYS]


def encrypt(token: str) -> bytes:
    """Return the token encrypted with the newest key."""
    return _ciphers().encrypt(token.encode())


def encrypt_undated(text: str) -> bytes:
    """Return a text encrypted with the newest key. Whoever holds the result alone can't tell when it was."""
    return _ciphers().encrypt_at_time(text.encode(), 0)


def decrypt(encrypted: bytes) -> str:
    """Return the token.

    Raises:
        UnreadableToken: its key is missing in `TOKEN_KEYS`.
    """
    try:
        return _ciphers().decrypt(encrypted).decode()
    except InvalidToken:
        raise UnreadableToken(
            "A link was encrypted with a key that TOKEN_KEYS does not hold any more. Add the key at its end."
        ) from None


def temporary(invitation_id: UUID, *, until: datetime) -> str:
    """Return a further token for the invitation. It is signed instead of kept: nothing is stored for it."""
    return _signer().sign(f"{invitation_id.hex}.{until.timestamp():.0f}")


def read_temporary(token: str) -> tuple[UUID, datetime] | None:
    """Return the invitation of a temporary token and until when it is valid; None for any other token."""
    return _read_signed(token, "signature")


def confirmation(application_id: UUID, *, until: datetime) -> str:
    """Return a token that confirms the address of an application. It is signed instead of kept."""
    return _signer("confirmation").sign(f"{application_id.hex}.{until.timestamp():.0f}")


def read_confirmation(token: str) -> tuple[UUID, datetime] | None:
    """Return the application of a confirmation and until when it is valid; None for any other token."""
    return _read_signed(token, "confirmation")


def _read_signed(token: str, purpose: str) -> tuple[UUID, datetime] | None:
    try:
        row_id, until = _signer(purpose).unsign(_bare(token)).split(".")
    except signing.BadSignature:
        return None
    return UUID(row_id), datetime.fromtimestamp(int(until), UTC)


def _signer(purpose: str = "signature") -> signing.Signer:
    keys: list[bytes | str] = [_derived(key, purpose) for key in settings.TOKEN_KEYS]
    return signing.Signer(key=keys[0], fallback_keys=keys[1:], sep=".")


def _digest(token: str, key: str) -> bytes:
    return hmac.digest(_derived(key, "hash"), token.encode(errors="replace"), "sha256")


def _ciphers() -> MultiFernet:
    return _fernets(tuple(settings.TOKEN_KEYS))


@cache
def _fernets(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key, "encryption"))) for key in keys])


@cache
def _derived(key: str, purpose: str) -> bytes:
    """Return 32 bytes of their own for each purpose. Source: RFC 5869."""
    info = f"candidate's link: {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.encode())
