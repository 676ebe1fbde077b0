"""Errors of the speech service. The message tells people what to do; `code` is for programs."""

from __future__ import annotations


class VoiceError(Exception):
    """A speech operation failed. The message tells people what to do; `code` is for programs."""

    code = "voice_error"


class EngineUnavailable(VoiceError):
    """The engine cannot work here and now: a model, a library or a device is missing."""

    code = "engine_unavailable"


class VoiceUnavailable(EngineUnavailable):
    """The engine works, but the chosen voice cannot be loaded; other voices may work."""


class TransientFailure(EngineUnavailable):
    """The engine failed in a way that passes: a broken connection, a timeout, an overloaded vendor."""


class LanguageUnsupported(EngineUnavailable):
    """The engine works, but not in this language; use another engine."""

    code = "language_unsupported"


class ModelMissing(EngineUnavailable):
    """The engine that was asked for by name is not among those that are configured, or has another model."""

    code = "model_missing"


class AudioRejected(VoiceError):
    """The audio cannot be used: a retry with the same bytes fails again."""

    code = "audio_rejected"


class SynthesisFailed(VoiceError):
    """The engine was ready but could not synthesise this text."""

    code = "text_rejected"


class RequestRefused(VoiceError):
    """A value is not acceptable; the message names the field and the limit."""

    code = "bad_value"

    def __init__(self, field: str, detail: str, *, code: str = "bad_value") -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.code = code


class Busy(VoiceError):
    """There is too much work to answer in time; retry after `retry_after_s` seconds."""

    code = "busy"

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class NotAuthorised(VoiceError):
    """The caller was authorised when the connection opened, and is not any more."""

    code = "unauthenticated"


class Forbidden(VoiceError):
    """The caller may own nothing: only an address is known, and many people may share an address."""

    code = "forbidden"


UNREACHABLE_RETRY_S = 5.0


class RateLimited(Busy):
    """The caller has sent too many requests this minute. headers: what HTTP tells of the limit."""

    code = "rate_limited"

    def __init__(self, detail: str, *, retry_after_s: float, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.headers = headers or {}


class Unreachable(Busy):
    """Redis, which carries all work, does not answer."""

    code = "engine_unavailable"

    def __init__(self) -> None:
        detail = "The service cannot be reached; try again in a moment."
        super().__init__(detail, retry_after_s=UNREACHABLE_RETRY_S)


class NotReady(Exception):
    """A component answers but cannot work yet; the message says why."""


class CallFailed(VoiceError):
    """The worker could not carry out the call; `code` is the kind of failure."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.field = field


class AudioMissing(VoiceError):
    """Less of the recording is held than expected; its source must send the rest again."""

    def __init__(self, held_bytes: int, expected_bytes: int) -> None:
        super().__init__(
            f"{held_bytes} of {expected_bytes} bytes are held: send the rest from byte {held_bytes}."
        )
        self.held_bytes = held_bytes


class DecryptionFailed(VoiceError):
    """Something encrypted is not what was written: it was changed, moved, cut off, or is of another key."""

    code = "decryption_failed"


class KeyUnavailable(VoiceError):
    """The key that wraps a data key is not configured here."""

    code = "key_unavailable"


class KeyDestroyed(VoiceError):
    """The data key was destroyed: what it encrypted cannot be read any more."""

    code = "key_destroyed"


class KeyMissing(VoiceError):
    """The data key was made and not destroyed, but its store does not hold it: perhaps it is not mounted."""

    code = "key_missing"


class UploadGone(VoiceError):
    """The waiting file is no longer in storage and cannot be recovered."""
