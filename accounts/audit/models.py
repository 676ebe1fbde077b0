"""Tables of the audit. The application adds rows to them and reads them; it changes and deletes none.

The entries name organisations, people, keys and candidates by their ids alone, without foreign keys: they
stay when a row that they name is gone.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

PLATFORM = 0
"""The chain of entries that belong to no organisation."""


class AuditEntry(models.Model):
    """Something that happened to candidates' data, or a sign-in."""

    class Kind(models.TextChoices):
        LISTED = "listed", _("Listed")
        READ = "read", _("Read")
        ADDRESS = "address", _("Address of a recording issued")
        HEARD = "heard", _("Heard")
        EXPORTED = "exported", _("Exported")
        CHANGED = "changed", _("Changed")
        ERASED = "erased", _("Erased")
        SIGNED_IN = "signed_in", _("Signed in")
        SIGNED_OUT = "signed_out", _("Signed out")
        EXPIRED = "expired", _("Months of the audit expired")
        VERIFIED = "verified", _("Audit verified")

    class Outcome(models.TextChoices):
        ALLOWED = "allowed", _("Allowed")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Not done")

    class Actor(models.TextChoices):
        PERSON = "person", _("Person")
        KEY = "key", _("API key")
        CANDIDATE = "candidate", _("Candidate, by the own link")
        ADDRESS = "address", _("Holder of a recording’s address")
        PLATFORM = "platform", _("The platform itself")
        COMMAND = "command", _("Operator, by a command")
        UNKNOWN = "unknown", _("Unknown")

    at = models.DateTimeField(_("time"))
    organisation_id = models.BigIntegerField(null=True)
    kind = models.CharField(_("what"), max_length=20, choices=Kind.choices)
    door = models.CharField(_("where"), max_length=100, help_text=_("Page, operation or command."))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    actor = models.CharField(_("by"), max_length=10, choices=Actor.choices)
    person_id = models.BigIntegerField(null=True)
    key_id = models.UUIDField(null=True)
    candidates = ArrayField(models.UUIDField(), verbose_name=_("candidates"))
    row = models.CharField(max_length=64, help_text=_("The id that the address named."))
    address = models.GenericIPAddressField(_("IP address"), null=True)
    request = models.CharField(_("request"), max_length=64)
    filter = models.JSONField(_("filter"), null=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["organisation_id", "at", "id"], name="audit_of_organisation"),
            models.Index(fields=["organisation_id", "kind", "at"], name="audit_of_kind"),
            models.Index(fields=["person_id", "at"], name="audit_of_person"),
            models.Index(
                fields=["key_id", "at"], condition=models.Q(key_id__isnull=False), name="audit_of_key"
            ),
            models.Index(fields=["at", "id"], name="audit_by_time"),
            GinIndex(fields=["candidates"], name="audit_of_candidates"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M:%S}"


class AuditLink(models.Model):
    """The place of an entry in the chain of its organisation.

    organisation: its id, or `PLATFORM`. number: 1, 2, … without a gap. mac: keyed hash of the entry, the
    number and the mac before. key: the first characters of the key's hash (`accounts.audit.keys`).
    """

    organisation = models.BigIntegerField()
    number = models.BigIntegerField()
    entry = models.BigIntegerField(unique=True)
    mac = models.BinaryField(max_length=32)
    key = models.CharField(max_length=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="one_audit_link_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.organisation}: {self.number}"


class AuditCheckpoint(models.Model):
    """Where a chain begins after its oldest months expired: the last number and mac that are gone, signed."""

    organisation = models.BigIntegerField()
    number = models.BigIntegerField()
    mac = models.BinaryField(max_length=32)
    before = models.DateField(help_text=_("Entries of the months before this day are gone."))
    made_at = models.DateTimeField()
    key = models.CharField(max_length=8)
    signature = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="one_audit_checkpoint_a_number")
        ]

    def __str__(self) -> str:
        return f"{self.organisation}: {self.number}, before {self.before}"


TABLES = tuple(model._meta.db_table for model in (AuditEntry, AuditLink, AuditCheckpoint))  # noqa: SLF001
