"""The standard e-mails to candidates. An organisation may write its own (`models.MailTemplate`).

Words in braces are filled in: {name}, {interview}, {organisation}, {link}, {deadline}, {minutes}, {contact}.
"""

import re
from typing import Final, NamedTuple

PLACEHOLDERS: Final = ("name", "interview", "organisation", "link", "deadline", "minutes", "contact")
LINK: Final = "{link}"
"""A text without it would be of no use."""


class MailText(NamedTuple):
    """body: paragraphs with an empty line between them. One that is only {link} becomes a button."""

    subject: str
    body: str


TEXTS: Final[dict[str, dict[str, MailText]]] = {
    "invitation": {
        "en": MailText(
            "Your interview with {organisation}: {interview}",
            "Hello {name},\n\n"
            "{organisation} invites you to an interview: {interview}.\n\n"
            "You answer spoken questions in your browser, whenever it suits you. It takes about "
            "{minutes} minutes. "
            "You need a microphone and a quiet place. There is a practice question first, and if "
            "your connection "
            "breaks, you go on where you were.\n\n"
            "{link}\n\n"
            "Please finish by {deadline}. The link is yours alone: do not pass it on.\n\n"
            "If you need more time, or another way to take the interview, write to us. {contact}",
        ),
        "de": MailText(
            "Ihr Interview mit {organisation}: {interview}",
            "Guten Tag {name},\n\n"
            "{organisation} lädt Sie zu einem Interview ein: {interview}.\n\n"
            "Sie beantworten gesprochene Fragen im Browser, wann es Ihnen passt. Das dauert etwa "
            "{minutes} Minuten. "
            "Sie brauchen ein Mikrofon und einen ruhigen Ort. Zuerst kommt eine Übungsfrage, und wenn die "
            "Verbindung abbricht, machen Sie dort weiter, wo Sie waren.\n\n"
            "{link}\n\n"
            "Bitte schließen Sie bis {deadline} ab. Der Link gehört nur Ihnen: Geben Sie ihn nicht "
            "weiter.\n\n"
            "Wenn Sie mehr Zeit oder eine andere Form brauchen, schreiben Sie uns. {contact}",
        ),
        "es": MailText(
            "Su entrevista con {organisation}: {interview}",
            "Hola, {name}:\n\n"
            "{organisation} le invita a una entrevista: {interview}.\n\n"
            "Responderá a preguntas habladas en su navegador, cuando le venga bien. Dura unos "
            "{minutes} minutos. "
            "Necesita un micrófono y un lugar tranquilo. Primero hay una pregunta de práctica y, "
            "si se corta la "
            "conexión, seguirá donde estaba.\n\n"
            "{link}\n\n"
            "Termine, por favor, antes del {deadline}. El enlace es solo suyo: no lo comparta.\n\n"
            "Si necesita más tiempo u otra forma de hacer la entrevista, escríbanos. {contact}",
        ),
        "fr": MailText(
            "Votre entretien avec {organisation} : {interview}",
            "Bonjour {name},\n\n"
            "{organisation} vous invite à un entretien : {interview}.\n\n"
            "Vous répondez à des questions orales dans votre navigateur, quand vous le voulez. "
            "Cela prend environ "
            "{minutes} minutes. Il vous faut un microphone et un endroit calme. Une question d’essai vient "
            "d’abord et, si la connexion se coupe, vous reprenez où vous en étiez.\n\n"
            "{link}\n\n"
            "Merci de terminer avant le {deadline}. Le lien est à vous seul : ne le transmettez pas.\n\n"
            "S’il vous faut plus de temps ou une autre forme d’entretien, écrivez-nous. {contact}",
        ),
    },
    "reminder": {
        "en": MailText(
            "Reminder: your interview with {organisation}",
            "Hello {name},\n\n"
            "your interview “{interview}” with {organisation} is waiting for you. You can take it "
            "until {deadline}.\n\n"
            "{link}\n\n"
            "It takes about {minutes} minutes. {contact}",
        ),
        "de": MailText(
            "Erinnerung: Ihr Interview mit {organisation}",
            "Guten Tag {name},\n\n"
            "Ihr Interview „{interview}“ mit {organisation} wartet auf Sie. Sie können es bis "
            "{deadline} führen.\n\n"
            "{link}\n\n"
            "Es dauert etwa {minutes} Minuten. {contact}",
        ),
        "es": MailText(
            "Recordatorio: su entrevista con {organisation}",
            "Hola, {name}:\n\n"
            "Su entrevista «{interview}» con {organisation} le espera. Puede hacerla hasta el {deadline}.\n\n"
            "{link}\n\n"
            "Dura unos {minutes} minutos. {contact}",
        ),
        "fr": MailText(
            "Rappel : votre entretien avec {organisation}",
            "Bonjour {name},\n\n"
            "Votre entretien « {interview} » avec {organisation} vous attend. Vous pouvez le passer jusqu’au "
            "{deadline}.\n\n"
            "{link}\n\n"
            "Il prend environ {minutes} minutes. {contact}",
        ),
    },
}


def standard(kind: str, language: str) -> MailText:
    """Return the standard text in this language, or in English if there is none."""
    texts = TEXTS[kind]
    return texts.get(language, texts["en"])


def filled(text: str, values: dict[str, str]) -> str:
    """Put the values into the places of a text. Other words in braces stay as they are."""
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def unknown_places(text: str) -> list[str]:
    """Return the words in braces that nothing is put into."""
    return sorted({name for name in _PLACE.findall(text) if name not in PLACEHOLDERS})


_PLACE: Final = re.compile(r"\{(\w+)\}")
