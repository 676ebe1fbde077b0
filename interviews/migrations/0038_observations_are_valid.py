from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of a table that candidates write while it runs: neither of the two makes them wait."""

    atomic = False

    dependencies = [("interviews", "0037_observations_of_an_answer")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE interviews_observation VALIDATE CONSTRAINT observation_of_an_answer",
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="observation",
            index=models.Index(fields=["answer"], name="observations_of_an_answer"),
        ),
    ]
