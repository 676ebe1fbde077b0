"""Keys get scopes for reading and writing by area, an end, networks, a person and a successor.

The release before goes on with its column `scopes`, and this one reads it for keys without `granted`.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_organisation_language_model"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("apikey", "scopes", "scopes_of_before"),
                migrations.AlterField(
                    "apikey",
                    "scopes_of_before",
                    models.JSONField(db_column="scopes", default=list, editable=False),
                ),
            ]
        ),
        migrations.AddField(
            "apikey",
            "scopes",
            models.JSONField(db_column="granted", null=True, verbose_name="scopes"),
        ),
        migrations.AddField(
            "apikey",
            "is_personal",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="It ends when you are deactivated or no longer own the organisation.",
                verbose_name="personal",
            ),
        ),
        migrations.AddField(
            "apikey",
            "networks",
            models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="One a line, as 203.0.113.0/24 or 2001:db8::/48. Empty: from everywhere.",
                verbose_name="allowed networks",
            ),
        ),
        migrations.AddField(
            "apikey",
            "expires_at",
            models.DateTimeField(blank=True, help_text="Empty: never.", null=True, verbose_name="expires"),
        ),
        migrations.AddField(
            "apikey",
            "last_used_at",
            models.DateTimeField(
                editable=False, help_text="To the minute.", null=True, verbose_name="last used"
            ),
        ),
        migrations.AddField(
            "apikey",
            "replaced_by",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.apikey",
                verbose_name="replaced by",
            ),
        ),
    ]
