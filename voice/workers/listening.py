"""The job that listens to synthesised speech with a recogniser: is every word understood?"""

from functools import partial

from django.core.files.storage import default_storage

from voice.audio.decoding import decode
from voice.engines import registry
from voice.inference import recognizer
from voice.models import Speech
from voice.speech import rendering
from voice.text import writing_systems
from voice.text.languages import primary_language
from voice.text.misheard import misheard


def listen_back(key: str) -> None:
    """Recognise rendered speech and note the words that were heard otherwise; once for each speech.

    Nothing is noted where that would say little: where only the last resort recognises the language, where it
    is written without spaces, or where the recogniser writes it in another script.
    """
    row = Speech.objects.filter(pk=key, status=Speech.Status.READY, misheard=None).first()
    if row is None or not _can_judge(row.language):
        return
    with default_storage.open(row.storage_name) as file:
        samples = decode(file.read())
    heard = recognizer.recognizer().recognize(samples, language=row.language)
    is_comparable = writing_systems.is_speakable(heard.text, row.language) or not heard.text
    if heard.engine != registry.LAST_RESORT and is_comparable:
        pronounce = partial(registry.pronunciation, language=row.language)
        rendering.note_misheard(row, misheard(row.written or row.text, heard.text, pronounce))


def _can_judge(language: str) -> bool:
    """Whether a recogniser better than the last resort knows the language, and its words can be compared."""
    served = recognizer.recognizer().served()
    known = {code for engine, codes in served.items() if engine != registry.LAST_RESORT for code in codes}
    code = primary_language(language)
    return code in known and code not in writing_systems.UNSPACED_LANGUAGES
