from django.db import migrations

# The release before deletes people, too, and does not know this table (0024). It cannot erase who is on hold.
RULES = {
    ("interviews_legalhold", "placed_by_id"): ("accounts_user", "SET NULL"),
    ("interviews_legalhold", "ended_by_id"): ("accounts_user", "SET NULL"),
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

    dependencies = [("interviews", "0048_legal_holds")]

    operations = [
        migrations.RunSQL(
            SET_RULE.format(table=table, column=column, target=target, rule=rule), migrations.RunSQL.noop
        )
        for (table, column), (target, rule) in RULES.items()
    ]
