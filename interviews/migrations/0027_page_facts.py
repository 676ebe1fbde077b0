import django.db.models.deletion
from django.db import migrations, models

NOTED = models.BooleanField(
    db_default=False,
    default=True,
    help_text="Facts with times, never a score: the page was left and came back, text was pasted into a written answer, a second screen is there. Candidates read so before they agree. Nothing is noted of those with an accommodation.",
    verbose_name="note what the page notices",
)


class Migration(migrations.Migration):
    """The foreign key and the index come by themselves: 0037, 0038."""

    dependencies = [
        ("interviews", "0026_candidates_correct"),
    ]

    operations = [
        migrations.AddField(
            model_name="observation",
            name="answer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="To the question that was asked then; null: none was, or it is of the whole interview.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="observations",
                to="interviews.answer",
            ),
        ),
        migrations.AddField(
            model_name="observation",
            name="ended_at",
            field=models.DateTimeField(help_text="When the page that was left came back.", null=True),
        ),
        migrations.AddField(
            model_name="observation",
            name="characters",
            field=models.PositiveIntegerField(help_text="How many were pasted.", null=True),
        ),
        migrations.AlterField(
            model_name="observation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("reconnected", "The connection was lost and came back."),
                    ("opened_again", "The page was opened again: a reload, another tab or another device."),
                    ("left_page", "Left the page. It was not seen coming back."),
                    ("pasted", "Pasted text into the written answer."),
                    ("second_screen", "A second screen was connected."),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(model_name="interview", name="has_page_facts", field=NOTED),
        migrations.AddField(model_name="interviewversion", name="has_page_facts", field=NOTED.clone()),
    ]
