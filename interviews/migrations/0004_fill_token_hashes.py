from datetime import timedelta

from django.db import migrations
from django.utils import timezone

ROWS_AT_ONCE = 500


def fill(apps, schema_editor):
    """Give each link its hash and its encrypted token. Begun again after an interruption, it goes on."""
    without = apps.get_model("interviews", "Invitation").objects.filter(token_hash__isnull=True)
    while rows := list(without.only("plain_token")[:ROWS_AT_ONCE]):
        from interviews import tokens  # an empty table needs no keys

        for row in rows:
            row.token_hash, row.token_encrypted = tokens.digest(row.plain_token), tokens.encrypt(row.plain_token)
            row.plain_until = timezone.now() + timedelta(days=1)  # for the release before
        without.bulk_update(rows, ["token_hash", "token_encrypted", "plain_until"])


class Migration(migrations.Migration):
    atomic = False  # each step is committed, so that no row is locked for long

    dependencies = [
        ("interviews", "0003_invitation_token_hash"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
