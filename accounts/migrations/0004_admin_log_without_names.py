"""Old entries of the admin's log name rows by their ids, in steps of 10,000 entries."""

from django.db import migrations

STEP = 10_000
REWRITE = """
UPDATE django_admin_log SET object_repr = coalesce(object_id, '')
WHERE id > %s AND id <= %s AND object_repr IS DISTINCT FROM coalesce(object_id, '')
"""


def rewrite(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM django_admin_log")
        (last,) = cursor.fetchone()
        for start in range(0, last, STEP):
            cursor.execute(REWRITE, [start, start + STEP])


class Migration(migrations.Migration):
    atomic = False  # each step is a transaction of its own, so that no lock is held for long

    dependencies = [
        ("accounts", "0003_apikey_created_by"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [migrations.RunPython(rewrite, migrations.RunPython.noop)]
