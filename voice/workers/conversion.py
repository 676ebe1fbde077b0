"""Convert an uploaded file for a caller who waits, in blocks: no step holds the whole audio.

The new file is made on disk, because its header states its length, and is sent from there as fast as the
caller takes it.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import BinaryIO, Final, cast

from django.conf import settings

from voice.audio import processing
from voice.audio.decoding import Tally
from voice.audio.encoding import Container, Encoder
from voice.audio.pcm import s16le_from_samples
from voice.errors import AudioRejected, RequestRefused
from voice.queues.answers import ClaimedCall
from voice.service.requests import ConversionRequest
from voice.types import Samples
from voice.workers import slot, uploads

PART_BYTES: Final = 256 * 1024
LOOK_AFTER_S: Final = 1.0
"""How often a conversion looks whether its caller still waits."""


def convert(call: ClaimedCall) -> None:
    """Send the converted file; the first part and the result describe it and the original."""
    request = ConversionRequest(**call.request["conversion"])
    source = asdict(processing.describe(call.audio))
    with tempfile.TemporaryFile() as file:
        tally = Tally()
        duration_s = _write(call, request, file, tally)
        about = {
            "source": source,
            "duration_ms": round(1000 * duration_s),
            "size_bytes": file.seek(0, 2),
            "skipped_frames": tally.skipped_frames,
        }
        file.seek(0)
        call.send(about)
        while part := file.read(PART_BYTES):
            call.send_when_taken({}, part)
            slot.allow(call.age_s())
    call.finish(about)


def _write(call: ClaimedCall, request: ConversionRequest, file: BinaryIO, tally: Tally) -> float:
    """Write the converted file and return its duration in seconds."""
    rate_hz = request.sample_rate
    options = processing.Processing(request.loudness_dbfs, request.is_compressed, request.is_trimmed)
    levels = processing.UNKNOWN
    if options.needs_levels:
        levels = processing.measure(_blocks(call, rate_hz, Tally()), rate_hz, options)
    encoder = Encoder(cast(Container, request.format), rate_hz, file=file)
    n_samples = 0
    for block in processing.processed(_blocks(call, rate_hz, tally), rate_hz, options, levels):
        encoder.feed(s16le_from_samples(block))
        n_samples += len(block)
        _check_size(file.tell())
    if not n_samples:
        raise AudioRejected(
            "Nothing can be heard in the file, so that trim leaves nothing; send it without trim."
        )
    encoder.finish()
    _check_size(file.tell())
    return n_samples / rate_hz


def _blocks(call: ClaimedCall, rate_hz: int, tally: Tally) -> Iterator[Samples]:
    """Decode the upload once more; stop if the caller no longer waits."""
    looked_at = 0.0
    for block in uploads.decoded_blocks(call.audio, rate_hz=rate_hz, tally=tally):
        if time.monotonic() - looked_at > LOOK_AFTER_S:
            looked_at = time.monotonic()
            call.check_wanted()
            slot.allow(call.age_s())
        yield block


def _check_size(byte_count: int) -> None:
    limit_mb = settings.VOICE["MAX_CONVERTED_MB"]
    if byte_count > limit_mb * 1024**2:
        detail = f"the new file has over {limit_mb} MB; choose mp3 or opus, or a lower sample_rate."
        raise RequestRefused("format", detail, code="too_large")
