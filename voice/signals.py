"""What the speech service tells others. It never imports them.

Sent after the row is committed; receivers get the row as keyword argument.
"""

from django.dispatch import Signal

recording_stored = Signal()
"""recording: voice.models.Recording whose audio now lies in object storage."""

transcript_finished = Signal()
"""transcript: voice.models.Transcript that is done or has failed for good."""

speech_rendered = Signal()
"""speech: voice.models.Speech that can be played now."""
