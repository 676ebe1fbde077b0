"""Users, organisations, roles and API keys."""

import hashlib
import secrets
import uuid
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _


class Organisation(models.Model):
    """A tenant: organisations cannot see each other's data."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    slug = models.SlugField(unique=True)
    accent_colour = models.CharField(
        _("accent colour"),
        max_length=7,
        blank=True,
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("Write it as #rrggbb, for example #1a6b5c."))],
        help_text=_("As #rrggbb; empty for the standard one."),
    )
    contact_email = models.EmailField(
        _("contact"),
        blank=True,
        db_default="",
        help_text=_("Candidates see it on every page, unless an interview names another."),
    )
    contact_name = models.CharField(
        _("contact’s name"), max_length=100, blank=True, default="", db_default=""
    )
    contact_phone = models.CharField(
        _("contact’s phone"), max_length=40, blank=True, default="", db_default=""
    )
    logo = models.CharField(
        max_length=100, blank=True, default="", db_default="", editable=False, help_text=_("Its file's name.")
    )

    is_review_by_assignment = models.BooleanField(
        _("reviewers see only what they are assigned to"),
        default=False,
        db_default=False,
        help_text=_("Off: reviewers see all candidates of the organisation."),
    )
    is_language_model_used = models.BooleanField(
        _("language model"),
        default=False,
        db_default=False,
        help_text=_(
            "What candidates say may be sent to the language model of this platform, which asks follow-up "
            "questions. Only in interviews whose consent text names it."
        ),
    )

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in. Candidates use a link instead."""

    organisations = models.ManyToManyField(Organisation, through="Membership", related_name="users")
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        db_default="",
        default="",
        help_text=_("Of the pages for staff. Empty: as the browser asks."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, db_default="", default="", help_text=_("Empty: UTC.")
    )

    chosen: int | None = None
    """The organisation that a member of several works in just now; None: in all of them."""

    @cached_property
    def roles(self) -> dict[int, str]:
        """The user's role by organisation id, cached on first use. Of the chosen organisation only."""
        roles = dict(self.memberships.values_list("organisation_id", "role"))
        return {self.chosen: roles[self.chosen]} if self.chosen in roles else roles

    @cached_property
    def assigned_only(self) -> frozenset[int]:
        """The ids of organisations where the user sees only candidates that are assigned to them."""
        reviewing = self.memberships.filter(role=Membership.Role.REVIEWER)
        limited = reviewing.filter(organisation__is_review_by_assignment=True)
        return frozenset(limited.values_list("organisation_id", flat=True))


class Membership(models.Model):
    """A user's role in an organisation."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        RECRUITER = "recruiter", _("Recruiter")
        REVIEWER = "reviewer", _("Reviewer")

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("organisation")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.RECRUITER)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="one_membership_an_organisation")
        ]

    def __str__(self) -> str:
        return f"{self.user} – {self.organisation} ({self.get_role_display()})"


class ColleagueInvitation(models.Model):
    """A link that makes its holder a member of the organisation (`accounts.colleagues`)."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="+", verbose_name=_("organisation")
    )
    email = models.EmailField(_("e-mail"))
    role = models.CharField(
        _("role"), max_length=20, choices=Membership.Role.choices, default=Membership.Role.RECRUITER
    )
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    created_by = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("invited by"),
    )
    created_at = models.DateTimeField(_("invited"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, editable=False)
    accepted_at = models.DateTimeField(_("accepted"), null=True, editable=False)
    accepted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    plain = ""
    """The link, right after it was made. It is not kept."""

    class Meta:
        verbose_name = _("invited colleague")
        verbose_name_plural = _("invited colleagues")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_a_colleague",
            )
        ]

    def __str__(self) -> str:
        return self.email

    def is_open(self, now: datetime) -> bool:
        """Whether the link works."""
        return not self.accepted_at and not self.revoked_at and self.expires_at > now


class ApiKey(models.Model):
    """A key for other systems. Only its SHA-256 is kept; the key itself is shown once."""

    PREFIX = "ipk_"

    class Scope(models.TextChoices):
        INTERVIEWS = "interviews", _("Interviews")
        VOICE = "voice", _("Speech service")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="api_keys", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=100)
    scopes = models.JSONField(_("scopes"), default=list)
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="api_keys", editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @classmethod
    def issue(
        cls, *, organisation: Organisation, name: str, scopes: list[str], by: User | None = None
    ) -> tuple["ApiKey", str]:
        """Make a key. Return its row and the key, which cannot be read again. None: a program makes it."""
        key = cls.PREFIX + secrets.token_urlsafe(32)
        row = cls.objects.create(
            organisation=organisation,
            name=name,
            scopes=scopes,
            created_by=by,
            hint=key[:10],
            digest=cls.digest_of(key),
        )
        return row, key

    @classmethod
    def find(cls, key: str) -> "ApiKey | None":
        """Find the valid key with this secret, if any."""
        rows = cls.objects.select_related("organisation")
        try:
            return rows.get(digest=cls.digest_of(key), revoked_at__isnull=True)
        except cls.DoesNotExist:
            return None

    @staticmethod
    def digest_of(key: str) -> str:
        """Return the digest. SHA-256 is enough for a random 256-bit secret, which cannot be guessed."""
        return hashlib.sha256(key.encode()).hexdigest()
