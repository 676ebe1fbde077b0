from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("interviews", "0043_external_ids")]

    operations = [
        AddIndexConcurrently(
            model_name="invitation",
            index=models.Index(
                condition=~models.Q(external_id=""), fields=["external_id"], name="invitations_of_others"
            ),
        ),
    ]
