from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of a table that candidates write while it runs: concurrently, so that they do not wait."""

    atomic = False

    dependencies = [
        ("interviews", "0024_rows_that_go_with_older_ones"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="answer",
            index=models.Index(
                condition=models.Q(("follow_up_by__isnull", False)),
                fields=["follow_up_by"],
                name="answers_awaiting_a_follow_up",
            ),
        ),
    ]
