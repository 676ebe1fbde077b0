from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("interviews", "0004_fill_token_hashes"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="link_requested_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
