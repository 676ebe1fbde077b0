"""Migrations only add: while they are applied, the release before still runs and reads every column."""

import ast
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.operations.base import Operation

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "interviews", "voice")
BEFORE_THE_RULE = {
    "accounts.migrations.0001_initial",
    "interviews.migrations.0001_initial",
    "interviews.migrations.0002_turn_taking",
    "voice.migrations.0001_initial",
    "voice.migrations.0002_speech_service",
    "voice.migrations.0003_batch_uploads_to_delete",
    "voice.migrations.0004_segments_and_deferred_transcripts",
    "voice.migrations.0005_segments_of_any_length",
}
LOCKED_BEFORE_THE_RULE = {"voice.migrations.0009_transcripts_without_engine"}
KEYED_BEFORE_THE_RULE = {
    "accounts.migrations.0003_apikey_created_by",
    "interviews.migrations.0012_interview_versions",
    "interviews.migrations.0017_accommodations",
    "interviews.migrations.0018_open_links",
    "interviews.migrations.0021_interview_content",
}
DROPS = (migrations.RemoveField, migrations.DeleteModel, migrations.RenameField, migrations.RenameModel)


def new_migrations() -> list[str]:
    names = {
        f"{app}.migrations.{file.stem}"
        for app in APPS
        for file in (ROOT / app / "migrations").glob("[0-9]*.py")
    }
    return sorted(names - BEFORE_THE_RULE)


def drops_of(module: ModuleType) -> list[str]:
    """The operations that the release before could not live with, unless the module says that it drops."""
    if getattr(module, "DROPS_WHAT_THE_LAST_RELEASE_LEFT_UNUSED", False):
        return []
    return [
        operation.describe()
        for operation in flat(module.Migration.operations)
        if isinstance(operation, DROPS)
    ]


def flat(operations: list[Operation]) -> list[Operation]:
    """The operations, and those inside SeparateDatabaseAndState that reach the database."""
    found: list[Operation] = []
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            found += flat(operation.database_operations)
        else:
            found.append(operation)
    return found


def migration_of(*operations: Operation, **marks: bool) -> ModuleType:
    module = ModuleType("a_migration")
    module.Migration = type("Migration", (migrations.Migration,), {"operations": list(operations)})
    vars(module).update(marks)
    return module


def test_new_migrations_only_add():
    found = {name: drops_of(import_module(name)) for name in new_migrations()}

    assert not {name: operations for name, operations in found.items() if operations}


@pytest.mark.parametrize(
    "operation",
    [
        migrations.RemoveField("recording", "sha256"),
        migrations.DeleteModel("Recording"),
        migrations.RenameField("recording", "sha256", "digest"),
        migrations.RenameModel("Recording", "Take"),
        migrations.SeparateDatabaseAndState([migrations.RemoveField("recording", "sha256")]),
    ],
)
def test_migration_that_takes_something_away_is_found(operation):
    assert drops_of(migration_of(operation))
    assert not drops_of(migration_of(operation, DROPS_WHAT_THE_LAST_RELEASE_LEFT_UNUSED=True))


def locking_indexes(module: ModuleType) -> list[str]:
    """Indexes that a migration adds to tables of before, where candidates' writes would wait for them."""
    new = {
        each.name_lower for each in module.Migration.operations if isinstance(each, migrations.CreateModel)
    }
    return [
        each.describe()
        for each in flat(module.Migration.operations)
        if isinstance(each, migrations.AddIndex)
        and not isinstance(each, AddIndexConcurrently)
        and each.model_name_lower not in new
    ]


@pytest.mark.parametrize("name", [each for each in new_migrations() if each not in LOCKED_BEFORE_THE_RULE])
def test_migration_adds_indexes_to_tables_of_before_concurrently(name):
    assert not locking_indexes(import_module(name))


def locking_keys(module: ModuleType) -> list[str]:
    """Foreign keys that a migration adds to tables of before, where writers of both tables would wait."""
    new = {
        each.name_lower for each in module.Migration.operations if isinstance(each, migrations.CreateModel)
    }
    return [
        each.describe()
        for each in flat(module.Migration.operations)
        if isinstance(each, migrations.AddField)
        and isinstance(each.field, models.ForeignKey)
        and (each.field.db_constraint or each.field.db_index)
        and each.model_name_lower not in new
    ]


@pytest.mark.parametrize("name", [each for each in new_migrations() if each not in KEYED_BEFORE_THE_RULE])
def test_migration_adds_foreign_keys_to_tables_of_before_without_a_wait(name):
    assert not locking_keys(import_module(name))


@pytest.mark.parametrize("harmful", ["db_constraint", "db_index"])
def test_foreign_key_that_makes_writers_wait_is_found(harmful):
    options = {"db_constraint": False, "db_index": False, "null": True}

    def added(**changed: bool) -> ModuleType:
        key = models.ForeignKey("interviews.Answer", models.CASCADE, **(options | changed))
        return migration_of(migrations.AddField("observation", "answer", key))

    assert locking_keys(added(**{harmful: True}))
    assert not locking_keys(added())


@pytest.mark.django_db
def test_no_foreign_key_is_left_without_its_validation():
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'f' AND NOT convalidated")
        assert cursor.fetchall() == []


@pytest.mark.parametrize("name", new_migrations())
def test_migration_loads_without_our_code(name):
    """A data migration imports what it needs when it has rows: other releases load it too, and code moves."""
    module = ast.parse(Path(import_module(name).__file__ or "").read_text())
    imported = [node for node in module.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = [alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in imported if isinstance(node, ast.ImportFrom)]

    assert not [name for name in names if name.split(".")[0] in (*APPS, "interview_platform")]


def test_migration_that_adds_passes():
    add = migrations.AddField("recording", "channels", models.IntegerField(null=True))
    state_alone = migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Recording")])

    assert drops_of(migration_of(add, state_alone)) == []
