import django.db.models.deletion
from django.db import migrations, models

# NOT VALID, because those who write answers wait until this has ended, and the rows are many: 0038 looks at
# them. It goes with its answer as in 0024: the release before deletes answers and does not know this column.
GOES_WITH_ITS_ANSWER = """
ALTER TABLE interviews_observation ADD CONSTRAINT observation_of_an_answer FOREIGN KEY (answer_id)
  REFERENCES interviews_answer ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID
"""
TAKES_IT_BACK = "ALTER TABLE interviews_observation DROP CONSTRAINT observation_of_an_answer"


class Migration(migrations.Migration):

    dependencies = [("interviews", "0036_open_links_have_a_plural")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(GOES_WITH_ITS_ANSWER, TAKES_IT_BACK)],
            [
                migrations.AlterField(
                    model_name="observation",
                    name="answer",
                    field=models.ForeignKey(
                        db_index=False,
                        help_text="To the question that was asked then; null: none was, or it is of the whole interview.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="observations",
                        to="interviews.answer",
                    ),
                ),
            ],
        ),
    ]
