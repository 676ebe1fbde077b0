"""Signals that the speech service sends to other apps, which it never imports.

Sent after the row is committed; receivers get the row as keyword argument. Accesses are told before anything
is sent: a receiver that fails prevents them.
"""

from django.dispatch import Signal

recording_stored = Signal()
"""recording: voice.models.Recording whose audio is now in object storage."""

transcript_finished = Signal()
"""transcript: voice.models.Transcript that is done or has failed permanently."""

version_finished = Signal()
"""version: voice.models.TranscriptVersion that is done or has failed."""

recording_address_issued = Signal()
"""recording: voice.models.Recording of which somebody gets an address: from then on it may be heard."""

recording_played = Signal()
"""recording: voice.models.Recording that is played from its beginning, by whoever has the address."""

speech_rendered = Signal()
"""speech: voice.models.Speech that can now be played."""

voice_failed = Signal()
"""speech: voice.models.Speech whose voice cannot speak; voice: one that can.

A receiver returns whether it has requested the text, and all that are heard with it, in that voice.
"""
