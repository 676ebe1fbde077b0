"""espeak-ng: a robotic voice for 100 languages without downloads, used when no other engine works.

`ipa` is its pronunciation of a text, for models that read sounds.

The library comes in the `espeakng-loader` wheel and is called through ctypes. Its state is global to the
process and not thread-safe, so there is one lock for all (5 s of speech take 6 ms). piper-tts has its own
espeak-ng inside its extension module; the two share nothing.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from voice.audio.pcm import samples_from_s16le
from voice.engines.base import SteadyEngine, checked_speed, matching_voice
from voice.errors import EngineUnavailable, SynthesisFailed, VoiceUnavailable
from voice.text.languages import primary_language
from voice.text.sentences import split_sentences
from voice.types import Samples, SpeechChunk, Voice

# Source: espeak-ng/speak_lib.h
AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
INITIALIZE_DONT_EXIT: Final = 0x8000
EE_OK: Final = 0
RATE_PARAMETER: Final = 1
NORMAL_WORDS_PER_MINUTE: Final = 175
CHARS_UTF8: Final = 1
POSITION_CHARACTER: Final = 1
IPA_WITH_TIES: Final = 0x02 | 1 << 7 | ord("^") << 8  # the letters of one sound are tied by ^

# Listed first, and so chosen for the bare language; in espeak's own order it would be Caribbean English.
PREFERRED: Final = frozenset({"en-us", "es", "fr-fr", "pt-br"})
# Common tags for languages that espeak-ng knows by another one.
SYNONYMS: Final = {"zh": "cmn", "no": "nb", "iw": "he", "in": "id", "tl": "fil"}

_SynthesisCallback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class _EspeakVoice(ctypes.Structure):
    """espeak_VOICE of speak_lib.h"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),  # a byte of priority, then the tag, repeated
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


@dataclass(frozen=True, slots=True)
class _Library:
    functions: ctypes.CDLL
    sample_rate_hz: int
    names: dict[Voice, bytes]
    """Each voice's own name, which the library always accepts; it does not accept some of its own tags."""

    @property
    def voices(self) -> tuple[Voice, ...]:
        return tuple(self.names)


_lock = threading.Lock()  # guards the C library, of which a process has only one
_library: _Library | None = None


class Espeak(SteadyEngine):
    """See the module. All instances share the one library of the process."""

    name = "espeak"
    model = "espeak-ng"
    device = "cpu"

    def load(self) -> None:
        """Start the library; further calls return at once.

        Raises:
            EngineUnavailable: the package is missing or its data cannot be read.
        """
        _started()

    def voices(self) -> tuple[Voice, ...]:
        """Return one voice a language, preferred accents first; empty when the library is missing."""
        try:
            return _started().voices
        except EngineUnavailable:
            return ()

    def synthesize(
        self, text: str, *, voice: str | None, language: str, speed: float = 1.0, emotion: str | None = None
    ) -> Iterator[SpeechChunk]:
        """See `SynthesisEngine.synthesize`. `emotion` is ignored."""
        library = _started()
        tag = SYNONYMS.get(primary_language(language), language)
        chosen = matching_voice(library.voices, voice=voice, language=tag)
        sentences = split_sentences(text, chosen.language)
        if not sentences:
            raise SynthesisFailed("There is no text to speak.")
        return _chunks(library, chosen, sentences, checked_speed(speed))


def ipa(text: str, language: str) -> str:
    """Return the pronunciation of `text` in IPA, without its punctuation; "t^ʃ" is one sound.

    language: a tag such as "en-GB". Words of another language follow a remark such as "(fr)".

    Raises:
        EngineUnavailable: the library is missing.
        LanguageUnsupported: no voice has this tag or speaks the language.
    """
    library = _started()
    chosen = matching_voice(library.voices, voice=None, language=language)
    letters = ctypes.c_char_p(text.encode())
    rest = ctypes.cast(letters, ctypes.c_void_p)  # where the next clause begins; null after the last
    clauses = []
    with _lock:
        _set_voice(library, chosen)
        while rest.value:
            said = library.functions.espeak_TextToPhonemes(ctypes.byref(rest), CHARS_UTF8, IPA_WITH_TIES)
            clauses.append((said or b"").decode())
    return " ".join(clauses)


def _chunks(library: _Library, voice: Voice, sentences: list[str], speed: float) -> Iterator[SpeechChunk]:
    for sentence in sentences:
        samples = _spoken(library, voice, sentence, speed)
        if len(samples):
            yield SpeechChunk(samples, library.sample_rate_hz, sentence)


def _started() -> _Library:
    global _library  # the library is global too
    with _lock:
        if _library is None:
            _library = _start()
        return _library


def _start() -> _Library:
    try:
        import espeakng_loader

        functions = ctypes.CDLL(espeakng_loader.get_library_path())
        data_path = espeakng_loader.get_data_path()
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineUnavailable(f"espeak-ng is missing ({error}); install 'espeakng-loader'.") from error
    rate_hz = functions.espeak_Initialize(
        AUDIO_OUTPUT_SYNCHRONOUS, 0, data_path.encode(), INITIALIZE_DONT_EXIT
    )
    if rate_hz <= 0:
        raise EngineUnavailable(
            f"espeak-ng cannot read its data in {data_path}; a path under 150 letters helps."
        )
    functions.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_EspeakVoice))
    functions.espeak_TextToPhonemes.restype = ctypes.c_char_p
    return _Library(functions, rate_hz, _listed(functions, rate_hz))


def _listed(functions: ctypes.CDLL, rate_hz: int) -> dict[Voice, bytes]:
    voices: dict[str, tuple[Voice, bytes]] = {}
    for entry in _until_null(functions.espeak_ListVoices(None)):
        tag = entry.languages[1:].decode()
        voice = Voice(f"espeak:{tag}", tag, entry.name.decode(), "espeak", "last_resort", rate_hz)
        voices.setdefault(tag, (voice, entry.name))
    return dict(sorted(voices.values(), key=lambda pair: (pair[0].language not in PREFERRED, pair[0].id)))


def _until_null(entries: Any) -> Iterator[_EspeakVoice]:
    position = 0
    while entries[position]:
        yield entries[position].contents
        position += 1


def _spoken(library: _Library, voice: Voice, sentence: str, speed: float) -> Samples:
    """Return float32[n_samples] at the library's rate."""
    pcm = bytearray()

    @_SynthesisCallback
    def keep(wave: Any, n_samples: int, events: Any) -> int:
        if wave and n_samples > 0:
            pcm.extend(ctypes.string_at(wave, 2 * n_samples))
        return 0

    text, functions = sentence.encode(), library.functions
    with _lock:
        functions.espeak_SetSynthCallback(keep)
        _set_voice(library, voice)
        functions.espeak_SetParameter(RATE_PARAMETER, round(NORMAL_WORDS_PER_MINUTE * speed), 0)
        failed = (
            functions.espeak_Synth(
                text, ctypes.c_size_t(len(text) + 1), 0, POSITION_CHARACTER, 0, CHARS_UTF8, None, None
            )
            != EE_OK
        )
    if failed:
        raise SynthesisFailed(f"espeak-ng cannot speak this text as {voice.language}; choose another voice.")
    return samples_from_s16le(pcm)


def _set_voice(library: _Library, voice: Voice) -> None:
    if library.functions.espeak_SetVoiceByName(library.names[voice]) != EE_OK:
        raise VoiceUnavailable(f"espeak-ng has lost its voice {voice.name!r}; choose another.")
