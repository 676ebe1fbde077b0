"""Audio over HTTP: synthesised questions (immutable) and recordings (short-lived addresses)."""

import logging
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from voice import signals
from voice.encryption import files
from voice.errors import KeyDestroyed, KeyMissing, KeyUnavailable, VoiceError
from voice.models import Recording
from voice.recordings import addresses
from voice.speech import rendering
from voice.web import ranges

logger = logging.getLogger(__name__)

FROM_THE_BEGINNING = "bytes=0-"
"""The range that a player asks for first."""
UNREADABLE = {
    KeyDestroyed: HTTPStatus.GONE,
    KeyMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    KeyUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


@require_safe
async def play_speech(request: HttpRequest, key: str) -> HttpResponse:
    """Return rendered speech as FLAC. A hit in Redis needs no worker, database or thread."""
    flac = await rendering.read_hot(key)
    if flac is None:
        flac = await sync_to_async(rendering.read_stored)(key)
    if flac is None:
        raise Http404("This text has not been rendered.")
    response = ranges.response(request, ContentFile(flac), content_type="audio/flac")
    if response.status_code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@require_safe
def play_recording(request: HttpRequest, token: str) -> HttpResponse:
    """Return a stored recording, as long as its address is valid."""
    recording = addresses.find_by_url_token(token)
    if recording is None:
        raise Http404("This address has ended. Open the recording again to get a new one.")
    if request.headers.get("Range", FROM_THE_BEGINNING).startswith(FROM_THE_BEGINNING):
        signals.recording_played.send(Recording, recording=recording)
    try:
        file = files.opened(recording.storage_name, key_id=recording.data_key)
        response = ranges.response(request, file, content_type="audio/flac")
    except VoiceError as error:
        logger.error("recording %s cannot be played: %s", recording.pk, error)
        status = UNREADABLE.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
        return HttpResponse(_("This recording cannot be read."), status=status, content_type="text/plain")
    response["Cache-Control"] = "private, no-store"
    return response
