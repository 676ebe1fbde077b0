"""Short-lived addresses under which a recording can be heard."""

from django.conf import settings
from django.core import signing
from django.core.files.storage import default_storage
from django.urls import reverse

from voice.models import Recording

_url_signer = signing.TimestampSigner(salt="voice.recording-url")


def temporary_url(recording: Recording) -> str | None:
    """An address of the stored file that works for `RECORDING_URL_SECONDS`; None while it is not stored."""
    if recording.status != Recording.Status.STORED:
        return None
    if settings.VOICE["HAS_SIGNED_URLS"]:
        parameters = {"expire": settings.RECORDING_URL_SECONDS}  # of the S3 backend's url()
        return default_storage.url(recording.storage_name, **parameters)
    token = _url_signer.sign(str(recording.id))
    return settings.VOICE["BASE_URL"] + reverse("voice:recording", args=[token])


def find_by_url_token(token: str) -> Recording | None:
    """The stored recording a temporary address stands for; None when it is forged or has ended."""
    try:
        recording_id = _url_signer.unsign(token, max_age=settings.RECORDING_URL_SECONDS)
    except signing.BadSignature:
        return None
    return Recording.objects.filter(pk=recording_id, status=Recording.Status.STORED).first()
