import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from interviews import tokens
from interviews.models.interview import Interview


class OpenLink(models.Model):
    """One address for a job advertisement: whoever confirms an e-mail address gets an invitation.

    taken: places that are gone. It only grows, so that erasing a candidate makes no place free.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    interview = models.ForeignKey(
        Interview, on_delete=models.CASCADE, related_name="open_links", verbose_name=_("interview")
    )
    token_hash = models.BinaryField(unique=True, help_text=_("Finds the link."))
    token_encrypted = models.BinaryField(help_text=_("Shows the link again."))
    is_open = models.BooleanField(_("open"), default=True)
    places = models.PositiveIntegerField(
        _("places"), default=50, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    taken = models.PositiveIntegerField(_("taken"), default=0)
    ends_at = models.DateTimeField(_("open until"))
    days = models.PositiveSmallIntegerField(
        _("days for the interview"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("So many days the own link of a candidate works."),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("open link")
        verbose_name_plural = _("open links")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(taken__lte=models.F("places")), name="no_more_candidates_than_places"
            )
        ]

    def __str__(self) -> str:
        return f"{self.interview} ({self.created_at:%Y-%m-%d})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row. A new one gets its address."""
        if self._state.adding and not self.token_hash:
            token = tokens.new_token()
            self.token_hash, self.token_encrypted = tokens.digest(token), tokens.encrypt(token)
        super().save(*args, **kwargs)

    @property
    def token(self) -> str:
        """The secret part of the address. Raises UnreadableToken, if its key is missing in `TOKEN_KEYS`."""
        return tokens.decrypt(bytes(self.token_encrypted))

    @property
    def url(self) -> str:
        """The complete address, for the advertisement."""
        return f"{settings.BASE_URL}/open/{tokens.in_link(self.token)}/"

    @property
    def places_left(self) -> int:
        return max(0, self.places - self.taken)

    def takes_candidates(self, now: datetime) -> bool:
        """Whether one more candidate can come in."""
        interview = self.interview
        can_begin = interview.status == Interview.Status.PUBLISHED and not interview.is_over(now)
        return self.is_open and can_begin and self.places_left > 0 and self.ends_at > now


class Application(models.Model):
    """Who asked for an interview at an open link and has not confirmed the address yet; a day at most."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    open_link = models.ForeignKey(OpenLink, on_delete=models.CASCADE, related_name="applications")
    candidate_name = models.CharField(max_length=200)
    candidate_email = models.EmailField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"application {self.pk}"
