"""An accommodation in plain words, as its candidate and those who give it read it."""

from typing import Protocol

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _


class Given(Protocol):
    """What `interviews.models.Accommodation` says."""

    extra_percent: int
    is_untimed: bool
    is_written: bool
    is_patient: bool
    has_large_text: bool


def sentences(given: Given | None) -> list[str | Promise]:
    """Return one sentence for each thing that is given; none if it is what all get.

    A page translates them: its language may be another than that of the request.
    """
    if given is None:
        return []
    more_time = _("You have {percent} % more time to think and to answer.")
    extra = format_lazy(more_time, percent=given.extra_percent)
    told = [
        (given.is_untimed, _("There are no time limits: nothing begins or ends by itself.")),
        (given.extra_percent and not given.is_untimed, extra),
        (given.is_written, _("You answer in writing. No microphone is needed.")),
        (given.is_patient, _("You can pause for longer before we ask whether you have finished.")),
        (given.has_large_text, _("The text is larger.")),
    ]
    return [sentence for is_given, sentence in told if is_given]
