from django.db import migrations, models

CORRECTING = models.BooleanField(
    db_default=True,
    default=True,
    help_text="After the interview candidates can read what we heard, and say where it is wrong. You see both, and the recording stays as it is.",
    verbose_name="candidates correct what we heard",
)


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0025_awaited_follow_ups"),
    ]

    operations = [
        migrations.AddField(
            model_name="correction",
            name="is_by_candidate",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Then no account made it."
            ),
        ),
        migrations.AddField(
            model_name="answer",
            name="flagged_at",
            field=models.DateTimeField(
                help_text="The candidate says since then that this answer was heard wrongly.", null=True
            ),
        ),
        migrations.AddField(model_name="interview", name="is_correcting_allowed", field=CORRECTING),
        migrations.AddField(
            model_name="interviewversion", name="is_correcting_allowed", field=CORRECTING.clone()
        ),
    ]
