"""Texts of interviews get names that nobody can guess: request their speech, which the sweeper has rendered.

Speech under the old names stays, for interviews under way and for addresses that browsers know.
"""

from django.db import migrations

from interviews.texts.practice import PRACTICE
from voice.speech.names import text_name
from voice.text.normalisation import normalise


def request_speech(apps, schema_editor):
    Speech = apps.get_model("voice", "Speech")
    rows = {}
    for interview in apps.get_model("interviews", "Interview").objects.iterator():
        practice = interview.practice_question or PRACTICE.get(interview.language, PRACTICE["en"])
        for text in (practice, *interview.questions.values_list("text", flat=True)):
            owner = f"organisation:{interview.organisation_id}"
            key = text_name(text, voice=interview.voice, language=interview.language, owner=owner)
            fields = {"text": normalise(text), "language": interview.language, "voice": interview.voice}
            rows[key] = Speech(key=key, **fields)
    Speech.objects.bulk_create(rows.values(), ignore_conflicts=True, batch_size=1000)


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0005_invitation_link_requested_at"),
        ("voice", "0006_skipped_frames_of_batch_files"),
    ]

    operations = [migrations.RunPython(request_speech, migrations.RunPython.noop)]
