"""Short-lived addresses for playing a recording."""

from django.conf import settings
from django.core import signing
from django.core.files.storage import default_storage
from django.urls import reverse

from voice import signals
from voice.models import Recording

_url_signer = signing.TimestampSigner(salt="voice.recording-url")


def temporary_url(recording: Recording) -> str | None:
    """Return an address of the stored file, valid for `RECORDING_URL_SECONDS`; None if not stored.

    Object storage cannot decrypt, so the application serves an encrypted recording itself.
    """
    if recording.status != Recording.Status.STORED:
        return None
    signals.recording_address_issued.send(Recording, recording=recording)
    if settings.VOICE["HAS_SIGNED_URLS"] and recording.data_key is None:
        parameters = {"expire": settings.RECORDING_URL_SECONDS}  # of the S3 backend's url()
        return default_storage.url(recording.storage_name, **parameters)
    token = _url_signer.sign(str(recording.id))
    return settings.VOICE["BASE_URL"] + reverse("voice:recording", args=[token])


def find_by_url_token(token: str) -> Recording | None:
    """Return the stored recording of a temporary address; None if the token is forged or expired."""
    try:
        recording_id = _url_signer.unsign(token, max_age=settings.RECORDING_URL_SECONDS)
    except signing.BadSignature:
        return None
    return Recording.objects.filter(pk=recording_id, status=Recording.Status.STORED).first()
