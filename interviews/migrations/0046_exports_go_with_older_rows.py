from importlib import import_module

from django.db import migrations

SET_RULE = import_module("interviews.migrations.0041_webhooks_go_with_older_rows").SET_RULE
# The release before deletes organisations, keys and erasures, too, and does not know these tables (0024).
RULES = {
    ("interviews_export", "organisation_id"): ("accounts_organisation", "CASCADE"),
    ("interviews_export", "asked_by_id"): ("accounts_apikey", "SET NULL"),
    ("interviews_export", "ended_by_id"): ("interviews_erasure", "SET NULL"),
    ("interviews_eventfeed", "organisation_id"): ("accounts_organisation", "CASCADE"),
}


class Migration(migrations.Migration):

    dependencies = [("interviews", "0045_exports_and_feed")]

    operations = [
        migrations.RunSQL(
            SET_RULE.format(table=table, column=column, target=target, rule=rule), migrations.RunSQL.noop
        )
        for (table, column), (target, rule) in RULES.items()
    ]
