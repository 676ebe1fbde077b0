"""Users, organisations, roles and API keys."""

import hashlib
import secrets
import uuid

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
        help_text=_("Shown to candidates who have a question after their interview."),
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
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in. Candidates use a link instead."""

    organisations = models.ManyToManyField(Organisation, through="Membership", related_name="users")

    @cached_property
    def roles(self) -> dict[int, str]:
        """The user's role by organisation id, cached on first use."""
        return dict(self.memberships.values_list("organisation_id", "role"))


class Membership(models.Model):
    """A user's role in an organisation."""

    class Role(models.TextChoices):
        OWNER = "owner", _("Owner")
        RECRUITER = "recruiter", _("Recruiter")
        REVIEWER = "reviewer", _("Reviewer")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.RECRUITER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation"], name="one_membership_an_organisation")
        ]

    def __str__(self) -> str:
        return f"{self.user} – {self.organisation} ({self.get_role_display()})"


class ApiKey(models.Model):
    """A key for other systems. Only its SHA-256 is kept; the key itself is shown once."""

    PREFIX = "ipk_"

    class Scope(models.TextChoices):
        INTERVIEWS = "interviews", _("Interviews")
        VOICE = "voice", _("Speech service")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_keys")
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
