from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0022_follow_ups"),
    ]

    operations = [
        migrations.AddField(
            model_name="scorecard",
            name="judgement_seen_at",
            field=models.DateTimeField(null=True),
        ),
    ]
