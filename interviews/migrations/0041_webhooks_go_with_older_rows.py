from django.db import migrations

# The release before deletes organisations and people, too, and does not know these tables (0024).
RULES = {
    ("interviews_webhookendpoint", "organisation_id"): ("accounts_organisation", "CASCADE"),
    ("interviews_webhookendpoint", "created_by_id"): ("accounts_user", "SET NULL"),
    ("interviews_webhookevent", "organisation_id"): ("accounts_organisation", "CASCADE"),
    ("interviews_webhookdelivery", "event_id"): ("interviews_webhookevent", "CASCADE"),
    ("interviews_webhookdelivery", "endpoint_id"): ("interviews_webhookendpoint", "CASCADE"),
    ("interviews_webhookattempt", "delivery_id"): ("interviews_webhookdelivery", "CASCADE"),
}
SET_RULE = """
DO $$ DECLARE its_name text; BEGIN
  SELECT conname INTO STRICT its_name FROM pg_constraint JOIN pg_attribute
    ON attrelid = conrelid AND conkey = ARRAY[attnum]
    WHERE contype = 'f' AND conrelid = '{table}'::regclass AND attname = '{column}';
  EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %1$I, ADD CONSTRAINT %1$I FOREIGN KEY ({column})
    REFERENCES {target} ON DELETE {rule} DEFERRABLE INITIALLY DEFERRED', its_name);
END $$
"""


class Migration(migrations.Migration):

    dependencies = [("interviews", "0040_webhooks")]

    operations = [
        migrations.RunSQL(
            SET_RULE.format(table=table, column=column, target=target, rule=rule), migrations.RunSQL.noop
        )
        for (table, column), (target, rule) in RULES.items()
    ]
