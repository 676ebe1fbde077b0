from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews import tokens
from interviews.models.invitation import Invitation

UNTIMED_LIMIT_S = 3600
"""So long at least an answer without a time limit may be recorded."""
LONGEST_S = 7200
"""The longest recording: of the longest answer limit with the most extra time."""


class Accommodation(models.Model):
    """What one candidate gets so that the interview is fair, as it was decided at one time.

    `Invitation.accommodation` is the one that holds; the earlier rows are its history.
    Those who score see neither: the reason may tell of a person's health, and is kept encrypted.
    """

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="accommodations")
    extra_percent = models.PositiveSmallIntegerField(
        _("extra time (%)"),
        default=0,
        validators=[MaxValueValidator(300)],
        help_text=_("More time to think and to answer: 50 is half as much again, 100 is twice the time."),
    )
    is_untimed = models.BooleanField(
        _("no time limits"),
        default=False,
        help_text=_("Nothing begins or ends by itself. A recording ends after an hour."),
    )
    is_written = models.BooleanField(
        _("written answers"), default=False, help_text=_("No microphone is needed, and none is checked.")
    )
    is_patient = models.BooleanField(
        _("longer patience"),
        default=False,
        help_text=_("A pause of up to ten seconds does not end an answer."),
    )
    has_large_text = models.BooleanField(_("larger text"), default=False)
    reason_encrypted = models.BinaryField(null=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-given_at", "-pk"]

    def __str__(self) -> str:
        return f"accommodation {self.pk}"

    @property
    def is_none(self) -> bool:
        """Whether the candidate gets what all get: an earlier accommodation was taken back."""
        return not any(getattr(self, name) for name in FIELDS)

    @property
    def reason(self) -> str:
        """Why it was given. Raises UnreadableToken, if its key is missing in `TOKEN_KEYS`."""
        return "" if self.reason_encrypted is None else tokens.decrypt(bytes(self.reason_encrypted))

    @reason.setter
    def reason(self, reason: str) -> None:
        self.reason_encrypted = tokens.encrypt(reason) if reason else None

    def extended(self, amount: int) -> int:
        """Return a number of seconds or minutes with the extra time, rounded up."""
        return -(-amount * (100 + self.extra_percent) // 100)

    def recorded_s(self, limit_s: int) -> int:
        """Return how long a recording may be, in seconds, of an answer with this limit."""
        extended = min(self.extended(limit_s), LONGEST_S)
        return max(UNTIMED_LIMIT_S, extended) if self.is_untimed else extended

    @property
    def state(self) -> dict[str, Any]:
        """What the candidate's page does differently."""
        return {name: getattr(self, name) for name in FIELDS if name != "is_patient"}


FIELDS = ("extra_percent", "is_untimed", "is_written", "is_patient", "has_large_text")
"""What is given, without by whom and why."""
