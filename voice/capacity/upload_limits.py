"""The limit on the size of an upload."""

from django.conf import settings

from voice.errors import RequestRefused


def check_size(byte_count: int, *, field: str = "file") -> None:
    """Refuse an upload that is empty or too large.

    Raises:
        RequestRefused: empty or too large.
    """
    limit_mb = settings.VOICE["MAX_UPLOAD_MB"]
    if byte_count > limit_mb * 1024**2:
        raise RequestRefused(field, f"send at most {limit_mb} MB of audio.", code="too_large")
    if not byte_count:
        raise RequestRefused(field, "it is empty; send audio.")
