"""Print a link with which an owner joins an organisation; the first one makes the organisation.

manage.py invite_owner ada@example.com --organisation "Example Ltd"
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.text import slugify

from accounts import colleagues
from accounts.models import Organisation

SLUG_OF_NO_LETTERS = "organisation"
LONGEST_SLUG = 50


class Command(BaseCommand):
    """manage.py invite_owner"""

    help = "Prints a link, valid for seven days, whose holder chooses a password and becomes an owner."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the name to sign in with")
        parser.add_argument("--organisation", required=True, help="its name; it is made if there is none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            validate_email(options["email"])
        except ValidationError:
            raise CommandError(f"{options['email']} is no e-mail address.") from None
        organisation = self._organisation(options["organisation"])
        invitation = colleagues.invite_owner(
            organisation=organisation, email=options["email"], now=timezone.now()
        )
        self.stdout.write(invitation.plain)

    def _organisation(self, name: str) -> Organisation:
        slug = slugify(name)[:LONGEST_SLUG] or SLUG_OF_NO_LETTERS
        if found := Organisation.objects.filter(name=name).first():
            return found
        if Organisation.objects.filter(slug=slug).exists():
            raise CommandError(f"Another organisation is called nearly so ({slug}); choose another name.")
        return Organisation.objects.create(name=name, slug=slug)
