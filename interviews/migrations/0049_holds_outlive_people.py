from importlib import import_module

from django.db import migrations

SET_RULE = import_module("interviews.migrations.0041_webhooks_go_with_older_rows").SET_RULE
# The release before deletes people, too, and does not know this table (0024). It cannot erase who is on hold.
RULES = {
    ("interviews_legalhold", "placed_by_id"): ("accounts_user", "SET NULL"),
    ("interviews_legalhold", "ended_by_id"): ("accounts_user", "SET NULL"),
}


class Migration(migrations.Migration):

    dependencies = [("interviews", "0048_legal_holds")]

    operations = [
        migrations.RunSQL(
            SET_RULE.format(table=table, column=column, target=target, rule=rule), migrations.RunSQL.noop
        )
        for (table, column), (target, rule) in RULES.items()
    ]
