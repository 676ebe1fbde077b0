from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _


class Contact(NamedTuple):
    """Whom a candidate writes to or calls when something goes wrong. Each part may be empty."""

    name: str
    email: str
    phone: str


class Presentation(models.Model):
    """What a candidate is told around the questions: a part of `Definition`."""

    introduction = models.TextField(
        _("introduction"),
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text=_("Stands on the first page, and the interview’s voice says it there. Empty: nothing."),
    )
    closing_text = models.TextField(
        _("closing text"),
        max_length=2000,
        blank=True,
        default="",
        db_default="",
        help_text=_("Stands on the last page. Empty: that the people who invited will get in touch."),
    )
    deadline = models.DateTimeField(
        _("deadline"),
        null=True,
        blank=True,
        help_text=_("After it no candidate can begin. Who has begun may finish."),
    )
    contact_name = models.CharField(_("contact"), max_length=100, blank=True, default="", db_default="")
    contact_email = models.EmailField(_("contact’s e-mail"), blank=True, default="", db_default="")
    contact_phone = models.CharField(
        _("contact’s phone"), max_length=40, blank=True, default="", db_default=""
    )
    vocabulary = models.TextField(
        _("vocabulary"),
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Names and terms of this interview, one a line. After = write how it is pronounced, "
            "if the voice says it wrong: Nguyen = win."
        ),
    )

    class Meta:
        abstract = True

    @property
    def contact(self) -> Contact | None:
        """Whom this interview names; None: its organisation's contact."""
        contact = Contact(self.contact_name, self.contact_email, self.contact_phone)
        return contact if any(contact) else None
