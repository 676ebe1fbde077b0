from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("interviews", "0046_exports_go_with_older_rows")]

    operations = [
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(fields=["organisation", "position"], name="events_by_place"),
        ),
        AddIndexConcurrently(
            model_name="webhookevent",
            index=models.Index(
                condition=models.Q(("position", None), models.Q(("type", "webhook.test"), _negated=True)),
                fields=["organisation"],
                name="events_without_a_place",
            ),
        ),
    ]
