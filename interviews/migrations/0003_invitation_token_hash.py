from django.db import migrations, models


class Migration(migrations.Migration):
    """The release before goes on with the column `token`: it may only be NULL from now on (ADR 19)."""

    dependencies = [
        ("interviews", "0002_turn_taking"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="token_hash",
            field=models.BinaryField(help_text="Finds the link.", null=True, unique=True),
        ),
        migrations.AddField(
            model_name="invitation",
            name="token_encrypted",
            field=models.BinaryField(help_text="Shows the link again.", null=True),
        ),
        migrations.AddField(
            model_name="invitation",
            name="plain_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="token",
            field=models.CharField(editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("invitation", "token", "plain_token"),
                migrations.AlterField(
                    model_name="invitation",
                    name="plain_token",
                    field=models.CharField(
                        db_column="token", editable=False, max_length=64, null=True, unique=True
                    ),
                ),
            ]
        ),
    ]
