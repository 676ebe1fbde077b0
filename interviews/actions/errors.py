"""Why an action was refused. The code is for programs, the detail for people."""


class ActionRefused(Exception):
    """The action did nothing. `extra` holds further fields for the answer, for example an offset."""

    code = "refused"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class WrongState(ActionRefused):
    """The thing is not in a status that allows this."""

    code = "wrong_state"


class AudioMissing(ActionRefused):
    """The answer is longer than what has arrived: send the rest from `offset` and finish again."""

    code = "audio_missing"


class NotYours(ActionRefused):
    """The thing belongs to somebody else, or does not exist; which of both is not said."""

    code = "not_yours"


class BadValue(ActionRefused):
    """A value that cannot be taken; the detail names the field and what it may be."""

    code = "bad_value"
