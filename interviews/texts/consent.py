"""The default consent text of a new interview. Recruiters may edit it; candidates agree to their version."""

from typing import Final

from django.conf import settings

from voice.engines.cloud.account import VENDORS

_RECOGNITION: Final = {
    "en": ("by speech recognition that runs on our own computers", "by a speech recognition service"),
    "de": ("von einer Spracherkennung auf unseren eigenen Rechnern", "von einem Dienst für Spracherkennung"),
    "es": ("con un programa en nuestros propios ordenadores", "con un servicio de reconocimiento de voz"),
    "fr": ("par un programme sur nos propres ordinateurs", "par un service de reconnaissance vocale"),
}
"""What recognises speech: on this installation only, and where a vendor gets the recordings."""

_TEXTS: Final = {
    "en": (
        "In this interview you answer questions by speaking. Your spoken answers are recorded and "
        "turned into text {recognition}. Before each answer you see how much time you have.\n\n"
        "The people who decide about this position listen to your answers and read the text. No "
        "decision is made by a computer.\n\n"
        "The recordings and texts are kept for as long as your application takes, or until the day that "
        "this page states. Your link shows you at any time what we hold about you, and there you can "
        "delete all of it yourself.\n\n"
        "Taking part is voluntary. You can stop at any time, and you can ask us for another way to take "
        "the interview."
    ),
    "de": (
        "In diesem Interview beantworten Sie Fragen mündlich. Ihre Antworten werden aufgenommen und "
        "{recognition} in Text umgewandelt. Vor jeder Antwort sehen Sie, wie viel Zeit Sie haben.\n\n"
        "Die Personen, die über die Stelle entscheiden, hören Ihre Antworten und lesen den Text. Kein "
        "Computer trifft eine Entscheidung.\n\n"
        "Aufnahmen und Texte werden aufbewahrt, solange Ihre Bewerbung läuft, oder bis zu dem Tag, den "
        "diese Seite nennt. Ihr Link zeigt Ihnen jederzeit, was wir über Sie gespeichert haben, und dort "
        "können Sie alles selbst löschen.\n\n"
        "Die Teilnahme ist freiwillig. Sie können jederzeit abbrechen und uns um eine andere Form des "
        "Gesprächs bitten."
    ),
    "es": (
        "En esta entrevista responde a las preguntas de viva voz. Sus respuestas se graban y se convierten "
        "en texto {recognition}. Antes de cada respuesta ve cuánto tiempo tiene.\n\n"
        "Las personas que deciden sobre el puesto escuchan sus respuestas y leen el texto. Ningún ordenador "
        "toma decisiones.\n\n"
        "Las grabaciones y los textos se conservan mientras dure su candidatura, o hasta el día que indica "
        "esta página. Su enlace le muestra en todo momento qué datos suyos guardamos, y allí puede "
        "eliminarlo todo.\n\n"
        "La participación es voluntaria. Puede dejarlo cuando quiera y pedirnos otra forma de hacer la "
        "entrevista."
    ),
    "fr": (
        "Dans cet entretien, vous répondez aux questions de vive voix. Vos réponses sont enregistrées et "
        "converties en texte {recognition}. Avant chaque réponse, vous voyez le temps dont vous "
        "disposez.\n\n"
        "Les personnes qui décident pour ce poste écoutent vos réponses et lisent le texte. Aucune décision "
        "n’est prise par un ordinateur.\n\n"
        "Les enregistrements et les textes sont conservés pendant la durée de votre candidature, ou "
        "jusqu’au jour indiqué sur cette page. Votre lien vous montre à tout moment ce que nous conservons à "
        "votre sujet, et vous pouvez tout y supprimer.\n\n"
        "La participation est volontaire. Vous pouvez arrêter à tout moment et nous demander une autre "
        "forme d’entretien."
    ),
}


def default_texts() -> dict[str, str]:
    """Return the text in each language that has one. It says whether a vendor gets the recordings."""
    has_vendor = any(engine in VENDORS for engine in settings.VOICE["STT_ENGINES"])
    return {
        language: text.format(recognition=_RECOGNITION[language][has_vendor])
        for language, text in _TEXTS.items()
    }


def default_text(language: str) -> str:
    """Return the text in this language, or in English if there is none."""
    texts = default_texts()
    return texts.get(language, texts["en"])


_LANGUAGE_MODEL: Final = {
    "en": (
        "To ask you follow-up questions, the text of your answers is sent to a language model of {name}. It "
        "decides nothing."
    ),
    "de": (
        "Um Ihnen Nachfragen zu stellen, wird der Text Ihrer Antworten an ein Sprachmodell von {name} "
        "gesendet. Es entscheidet nichts."
    ),
    "es": (
        "Para hacerle preguntas adicionales, el texto de sus respuestas se envía a un modelo de lenguaje de "
        "{name}. No decide nada."
    ),
    "fr": (
        "Pour vous poser des questions complémentaires, le texte de vos réponses est envoyé à un modèle de "
        "langage de {name}. Il ne décide de rien."
    ),
}


def of_language_model(language: str, name: str) -> str:
    """Return the sentence that names who runs the language model. A consent text needs it for follow-ups."""
    return _LANGUAGE_MODEL.get(language, _LANGUAGE_MODEL["en"]).format(name=name)


_DRAFT_EVALUATION: Final = {
    "en": (
        "To suggest to the people who assess your answers how they might be assessed, the text of your "
        "answers is sent to a language model of {name}. They see its suggestion only after they have judged "
        "for themselves. It decides nothing."
    ),
    "de": (
        "Um den Personen, die Ihre Antworten bewerten, eine Bewertung vorzuschlagen, wird der Text Ihrer "
        "Antworten an ein Sprachmodell von {name} gesendet. Sie sehen den Vorschlag erst, nachdem sie selbst "
        "geurteilt haben. Es entscheidet nichts."
    ),
    "es": (
        "Para proponer una valoración a las personas que evalúan sus respuestas, el texto de sus respuestas "
        "se envía a un modelo de lenguaje de {name}. Ven la propuesta solo después de haber juzgado por sí "
        "mismas. No decide nada."
    ),
    "fr": (
        "Pour proposer une évaluation aux personnes qui évaluent vos réponses, le texte de vos réponses est "
        "envoyé à un modèle de langage de {name}. Elles ne voient la proposition qu’après avoir jugé "
        "elles-mêmes. Il ne décide de rien."
    ),
}
"""Published consent texts hold these sentences. If one is changed here, their interviews get no drafts."""


def of_draft_evaluation(language: str, name: str) -> str:
    """Return the sentence that a consent text needs before a language model may draft an evaluation."""
    return _DRAFT_EVALUATION.get(language, _DRAFT_EVALUATION["en"]).format(name=name)


def names_draft_evaluation(text: str, name: str) -> bool:
    """Whether a consent text has that sentence, in one of the languages. To be named is not enough.

    Who agrees to follow-up questions has not agreed to be assessed by a computer.
    """
    words = " ".join(text.split())
    return bool(name) and any(of_draft_evaluation(language, name) in words for language in _DRAFT_EVALUATION)
