from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of a table that jobs write while it runs: concurrently, so that they do not wait."""

    atomic = False

    dependencies = [("interviews", "0030_versions_notes_deliveries")]

    operations = [
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(status__in=["bounced", "complained"]),
                fields=["invitation"],
                name="messages_that_came_back",
            ),
        ),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(service_id="", _negated=True),
                fields=["service_id"],
                name="messages_of_a_service",
            ),
        ),
    ]
