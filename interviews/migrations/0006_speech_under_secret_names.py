"""Texts of interviews get names that nobody can guess: request their speech, which the sweeper has rendered.

Speech under the old names stays, for interviews under way and for addresses that browsers know.
"""

from django.db import migrations


def request_speech(apps, schema_editor):
    Speech, rows = apps.get_model("voice", "Speech"), {}
    for interview in apps.get_model("interviews", "Interview").objects.iterator():
        # Here, because migrations are also applied by code that does not have these yet: to an empty table.
        from interviews.texts.practice import PRACTICE
        from voice.speech.names import text_name
        from voice.text.normalisation import normalise
        from voice.text.reading import readable

        practice = interview.practice_question or PRACTICE.get(interview.language, PRACTICE["en"])
        for text in (practice, *interview.questions.values_list("text", flat=True)):
            spoken = normalise(readable(text, interview.language))
            said = {"voice": interview.voice, "language": interview.language}
            key = text_name(text, **said, tenant=f"organisation:{interview.organisation_id}")
            rows[key] = Speech(key=key, text=spoken, **said)
    Speech.objects.bulk_create(rows.values(), ignore_conflicts=True, batch_size=1000)


class Migration(migrations.Migration):

    dependencies = [
        ("interviews", "0005_invitation_link_requested_at"),
        ("voice", "0006_skipped_frames_of_batch_files"),
    ]

    operations = [migrations.RunPython(request_speech, migrations.RunPython.noop)]
