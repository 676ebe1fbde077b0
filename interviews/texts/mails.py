"""The standard e-mails to candidates. An organisation may write its own (`models.MailTemplate`).

Words in braces are filled in: {name}, {interview}, {organisation}, {link}, {deadline}, {minutes}, {contact}.
"""

import re
from typing import Final, NamedTuple

PLACEHOLDERS: Final = ("name", "interview", "organisation", "link", "deadline", "minutes", "contact")
OF_DECISIONS: Final = ("advance", "rejection")
"""Kinds that tell a decision. Their candidates have no interview before them, so no link and no deadline."""
PLACEHOLDERS_OF_DECISIONS: Final = ("name", "interview", "organisation", "contact")
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
    "advance": {
        "en": MailText(
            "Your interview with {organisation}: the next step",
            "Hello {name},\n\n"
            "thank you for your interview “{interview}”. We would like to get to know you better.\n\n"
            "We will soon write to you about the next step. If you have a question until then, ask us. "
            "{contact}",
        ),
        "de": MailText(
            "Ihr Interview mit {organisation}: der nächste Schritt",
            "Guten Tag {name},\n\n"
            "vielen Dank für Ihr Interview „{interview}“. Wir möchten Sie gern näher kennenlernen.\n\n"
            "Zum nächsten Schritt schreiben wir Ihnen bald. Wenn Sie bis dahin eine Frage haben, fragen Sie "
            "uns. {contact}",
        ),
        "es": MailText(
            "Su entrevista con {organisation}: el siguiente paso",
            "Hola, {name}:\n\n"
            "gracias por su entrevista «{interview}». Nos gustaría conocerle mejor.\n\n"
            "Pronto le escribiremos sobre el siguiente paso. Si mientras tanto tiene alguna pregunta, "
            "escríbanos. {contact}",
        ),
        "fr": MailText(
            "Votre entretien avec {organisation} : la prochaine étape",
            "Bonjour {name},\n\n"
            "Merci pour votre entretien « {interview} ». Nous aimerions mieux vous connaître.\n\n"
            "Nous vous écrirons bientôt au sujet de la prochaine étape. D’ici là, si vous avez une question, "
            "posez-la-nous. {contact}",
        ),
    },
    "rejection": {
        "en": MailText(
            "Your interview with {organisation}",
            "Hello {name},\n\n"
            "thank you for your interview “{interview}”, and for the time you took for it.\n\n"
            "We have decided to go on with other candidates. We know that this is not what you hoped for, "
            "and wish you all the best.\n\n"
            "If you would like to know more, or want your data erased, write to us. {contact}",
        ),
        "de": MailText(
            "Ihr Interview mit {organisation}",
            "Guten Tag {name},\n\n"
            "vielen Dank für Ihr Interview „{interview}“ und für die Zeit, die Sie sich genommen haben.\n\n"
            "Wir haben uns entschieden, mit anderen Personen weiterzumachen. Wir wissen, dass Sie sich etwas "
            "anderes erhofft haben, und wünschen Ihnen alles Gute.\n\n"
            "Wenn Sie mehr wissen oder Ihre Daten löschen lassen möchten, schreiben Sie uns. {contact}",
        ),
        "es": MailText(
            "Su entrevista con {organisation}",
            "Hola, {name}:\n\n"
            "gracias por su entrevista «{interview}» y por el tiempo que le ha dedicado.\n\n"
            "Hemos decidido continuar con otras personas. Sabemos que no es lo que esperaba y le deseamos "
            "mucha suerte.\n\n"
            "Si quiere saber más, o que borremos sus datos, escríbanos. {contact}",
        ),
        "fr": MailText(
            "Votre entretien avec {organisation}",
            "Bonjour {name},\n\n"
            "Merci pour votre entretien « {interview} » et pour le temps que vous y avez consacré.\n\n"
            "Nous avons décidé de poursuivre avec d’autres personnes. Nous savons que ce n’est pas ce que "
            "vous espériez et nous vous souhaitons une bonne continuation.\n\n"
            "Si vous voulez en savoir plus, ou faire effacer vos données, écrivez-nous. {contact}",
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


def placeholders(kind: str) -> tuple[str, ...]:
    """Return the words that are filled in, in an e-mail of this kind."""
    return PLACEHOLDERS_OF_DECISIONS if kind in OF_DECISIONS else PLACEHOLDERS


def unknown_places(text: str, kind: str = "invitation") -> list[str]:
    """Return the words in braces that nothing is put into."""
    return sorted(set(_PLACE.findall(text)) - set(placeholders(kind)))


_PLACE: Final = re.compile(r"\{(\w+)\}")
