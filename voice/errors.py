"""Errors of the speech service. Each message tells people what to do; `code` tells programs."""

from __future__ import annotations


class VoiceError(Exception):
    """A speech operation that did not succeed; the message tells people what to do, `code` tells programs."""

    code = "voice_error"


class EngineUnavailable(VoiceError):
    """The engine cannot work here and now: a model, a library or a device is missing."""

    code = "engine_unavailable"


class VoiceUnavailable(EngineUnavailable):
    """The engine works, but the chosen voice cannot be loaded: its others may be fine."""


class TransientFailure(EngineUnavailable):
    """The engine failed in a way that passes: a broken connection, a timeout, a vendor that is overloaded."""


class LanguageUnsupported(EngineUnavailable):
    """The engine works, but not in this language: ask another engine."""

    code = "language_unsupported"


class AudioRejected(VoiceError):
    """The audio cannot be used as it is: asking again with the same bytes fails again."""

    code = "audio_rejected"


class SynthesisFailed(VoiceError):
    """The engine was ready but made no speech of this text."""

    code = "text_rejected"


class RequestRefused(VoiceError):
    """A value that nobody could act on; the message names the field and the limit."""

    code = "bad_value"

    def __init__(self, field: str, detail: str, *, code: str = "bad_value") -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.code = code


class Busy(VoiceError):
    """There is more to do than can be done in time; ask again after `retry_after_s` seconds."""

    code = "busy"

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class NotAuthorised(VoiceError):
    """A caller whose key or session was valid when the connection opened, and is no more."""

    code = "unauthenticated"


class Forbidden(VoiceError):
    """A caller who may own nothing: only an address is known, which many people may share."""

    code = "forbidden"


UNREACHABLE_RETRY_S = 5.0


class RateLimited(Busy):
    """The caller has asked too often this minute."""

    code = "rate_limited"


class Unreachable(Busy):
    """Redis, through which all work goes, does not answer."""

    code = "engine_unavailable"

    def __init__(self) -> None:
        detail = "The service cannot be reached; try again in a moment."
        super().__init__(detail, retry_after_s=UNREACHABLE_RETRY_S)


class NotReady(Exception):
    """A part that answers but cannot work yet; the message says why."""


class CallFailed(VoiceError):
    """The worker could not do what was asked; `code` says of what kind that was."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.field = field


class AudioMissing(VoiceError):
    """The recording should be longer than what is held: its source must send the rest again."""

    def __init__(self, held_bytes: int, expected_bytes: int) -> None:
        super().__init__(
            f"{held_bytes} of {expected_bytes} bytes are held: send the rest from byte {held_bytes}."
        )
        self.held_bytes = held_bytes


class UploadGone(VoiceError):
    """A file that waits is in storage no more, and nothing brings it back."""
