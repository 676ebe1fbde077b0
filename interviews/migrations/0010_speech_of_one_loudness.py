"""Voices have one loudness, and their speech new names: request the texts of interviews under these.

Speech under the old names stays, for interviews under way and for addresses that browsers know.
"""

from importlib import import_module

from django.db import migrations

earlier = import_module("interviews.migrations.0006_speech_under_secret_names")


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0009_retention"),
        ("voice", "0010_help_texts_of_segments"),
    ]

    operations = [migrations.RunPython(earlier.request_speech, migrations.RunPython.noop)]
