"""Users, organisations, roles and API keys."""

import hashlib
import secrets
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.audit.models import AuditCheckpoint, AuditEntry, AuditLink  # noqa: F401  Django looks here
from accounts.networks import is_within

WARNED_EVERY = timedelta(days=7)
"""An organisation gets one warning of erasures in this time. So each candidate is in one."""


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
    is_second_factor_required = models.BooleanField(
        _("require a second factor"),
        default=False,
        db_default=False,
        help_text=_(
            "Members sign in with an app’s code or a passkey besides the password. Those who have none set "
            "it up at their next sign-in. Turning this on signs out whoever is signed in without one."
        ),
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

    retention_days = models.PositiveSmallIntegerField(
        _("candidates are kept for (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_(
            "Of interviews that say nothing else, from when they are published next. Empty: until they are "
            "erased by hand."
        ),
    )
    warned_days = models.PositiveSmallIntegerField(
        _("warn owners (days before)"),
        default=14,
        db_default=14,
        validators=[MinValueValidator(WARNED_EVERY.days), MaxValueValidator(365)],
        null=True,
        blank=True,
        help_text=_(
            "So long before candidates are erased by the clock an e-mail says how many, once a week at most. "
            "Empty: none."
        ),
    )
    warned_at = models.DateTimeField(null=True, editable=False, help_text=_("When it was sent last."))

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


class BrowserSession(AbstractBaseSession):
    """A session of a browser, whose and from where (`accounts.sign_on.sessions`). Columns repeat its data."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="browser_sessions")
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="To the minute.")
    network = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=40, blank=True)
    has_second_factor = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.browser or 'browser'} of user {self.user_id}"  # never the key, which opens the session


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


class ApiKeys(models.QuerySet["ApiKey"]):
    """Keys, with what decides whether they open anything."""

    def with_person(self) -> "ApiKeys":
        """Add `is_person_gone`: a personal key whose person is deactivated, or is no owner any more."""
        owning = Membership.objects.filter(
            user=models.OuterRef("created_by"),
            organisation=models.OuterRef("organisation"),
            role=Membership.Role.OWNER,
        )
        is_there = models.Q(created_by__is_active=True) & (
            models.Q(created_by__is_superuser=True) | models.Exists(owning)
        )
        ended = models.Case(
            models.When(is_personal=False, then=False),
            models.When(is_there, then=False),
            default=True,
            output_field=models.BooleanField(),
        )
        return self.annotate(is_person_gone=ended)

    def valid(self, now: datetime) -> "ApiKeys":
        """Return the keys that open something now."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        is_person_there = models.Q(is_person_gone=False)
        return self.with_person().filter(unexpired, is_person_there, revoked_at=None)


class ApiKey(models.Model):
    """A key for other systems. Only its SHA-256 is kept; the key itself is shown once."""

    PREFIX = "ipk_"
    USE_NOTED_AFTER = timedelta(minutes=1)
    """`last_used_at` is written at most this often, and not with each request."""

    class Scope(models.TextChoices):
        """Read or write, by area. Each operation of the API needs one of them; none contains another."""

        INTERVIEWS_READ = "interviews:read", _("Interviews and question bank: read")
        INTERVIEWS_WRITE = "interviews:write", _("Interviews and question bank: write, publish")
        INVITATIONS_READ = "invitations:read", _("Invitations: read, with links")
        INVITATIONS_WRITE = "invitations:write", _("Invitations: invite, change, revoke")
        RESULTS_READ = "results:read", _("Results: read and hear")
        SCORES_READ = "scores:read", _("Results: read scores and decisions")
        EXPORTS_READ = "exports:read", _("Exports: read and download")
        EXPORTS_WRITE = "exports:write", _("Exports: have files made")
        EVENTS_READ = "events:read", _("Events: read")
        WEBHOOKS_READ = "webhooks:read", _("Webhooks: read, with their deliveries")
        WEBHOOKS_WRITE = "webhooks:write", _("Webhooks: add, change, delete")
        SETTINGS_READ = "settings:read", _("Organisation: read")
        SETTINGS_WRITE = "settings:write", _("Organisation: change")
        ERASURE_READ = "erasure:read", _("Erasures: read")
        ERASURE_WRITE = "erasure:write", _("Erasures: erase candidates")
        VOICE_READ = "voice:read", _("Speech service: read")
        VOICE_WRITE = "voice:write", _("Speech service: speak and transcribe")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, related_name="api_keys", verbose_name=_("organisation")
    )
    name = models.CharField(_("name"), max_length=100)
    scopes = models.JSONField(_("scopes"), null=True, db_column="granted")
    scopes_of_before = models.JSONField(default=list, editable=False, db_column="scopes")
    is_personal = models.BooleanField(
        _("personal"),
        default=False,
        db_default=False,
        help_text=_("It ends when you are deactivated or no longer own the organisation."),
    )
    is_test = models.BooleanField(
        _("for tests"),
        default=False,
        db_default=False,
        help_text=_(
            "It sees and makes test invitations only. They are never counted, no webhook tells of them, and "
            "they are erased after a day."
        ),
    )
    networks = models.TextField(
        _("allowed networks"),
        blank=True,
        default="",
        db_default="",
        help_text=_("One a line, as 203.0.113.0/24 or 2001:db8::/48. Empty: from everywhere."),
    )
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="api_keys", editable=False
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty: never."))
    last_used_at = models.DateTimeField(
        _("last used"), null=True, editable=False, help_text=_("To the minute.")
    )
    replaced_by = models.ForeignKey(
        "self",
        verbose_name=_("replaced by"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        editable=False,
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiKeys.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @classmethod
    def issue(
        cls,
        *,
        organisation: Organisation,
        name: str,
        scopes: Collection[str],
        by: User | None = None,
        is_personal: bool = False,
        is_test: bool = False,
        networks: str = "",
        expires_at: datetime | None = None,
    ) -> tuple["ApiKey", str]:
        """Make a key. Return its row and the key, which cannot be read again. None: a program makes it.

        Processes of the release before know no limits of keys. They refuse it: `scopes_of_before` is empty.
        """
        key = cls.PREFIX + secrets.token_urlsafe(32)
        row = cls.objects.create(
            organisation=organisation,
            name=name,
            scopes=sorted(scopes),
            created_by=by,
            is_personal=is_personal,
            is_test=is_test,
            networks=networks,
            expires_at=expires_at,
            hint=key[:10],
            digest=cls.digest_of(key),
        )
        return row, key

    @classmethod
    def find(cls, key: str) -> "ApiKey | None":
        """Find the valid key with this secret, if any."""
        rows = cls.objects.valid(timezone.now()).select_related("organisation")
        return rows.filter(digest=cls.digest_of(key)).first()

    @property
    def granted(self) -> frozenset[str]:
        """The key's scopes. Those of a key that the release before issued stand for several each."""
        if self.scopes is not None:
            return frozenset(self.scopes)
        return frozenset(scope for name in self.scopes_of_before for scope in SCOPES_OF_BEFORE[name])

    def is_allowed_from(self, address: str) -> bool:
        """Whether the key may be used from this IP address."""
        return not self.networks or is_within(address, self.networks.split())

    def replace_with(self, newer: "ApiKey", *, ends_at: datetime) -> None:
        """Let this key end at that time, or earlier if it expires by then."""
        self.replaced_by = newer
        self.expires_at = min(ends_at, self.expires_at) if self.expires_at else ends_at
        self.save(update_fields=["replaced_by", "expires_at"])

    def note_use(self, now: datetime) -> None:
        """Write that the key is in use, unless it was written within the last minute."""
        minute = now.replace(second=0, microsecond=0)
        due = now - self.USE_NOTED_AFTER
        if self.last_used_at is None or self.last_used_at <= due:
            is_due = models.Q(last_used_at=None) | models.Q(last_used_at__lte=due)
            ApiKey.objects.filter(is_due, pk=self.pk).update(last_used_at=minute)
            self.last_used_at = minute

    @staticmethod
    def digest_of(key: str) -> str:
        """Return the digest. SHA-256 is enough for a random 256-bit secret, which cannot be guessed."""
        return hashlib.sha256(key.encode()).hexdigest()


SCOPES_OF_BEFORE: dict[str, tuple[str, ...]] = {
    "interviews": (
        ApiKey.Scope.INTERVIEWS_READ,
        ApiKey.Scope.INVITATIONS_READ,
        ApiKey.Scope.INVITATIONS_WRITE,
        ApiKey.Scope.RESULTS_READ,
        ApiKey.Scope.ERASURE_READ,
        ApiKey.Scope.ERASURE_WRITE,
    ),
    "voice": (ApiKey.Scope.VOICE_READ, ApiKey.Scope.VOICE_WRITE),
}
"""What a key of the release before may do: all that there was. What comes later is not among it."""
