"""What the model of `tests.vendors.language_model` drafts from a job description, and how it can be wrong."""

from __future__ import annotations

import json
import re
from typing import Any

QUESTION = {
    "English": "Tell us about a time when you worked with {word}. What did you do?",
    "German": "Erzählen Sie von einer Aufgabe mit {word}. Was haben Sie dabei getan?",
    "Spanish": "Hable de una tarea con {word}. ¿Qué hizo usted y por qué?",
    "French": "Parlez d’une tâche avec {word}. Qu’avez-vous fait, et pourquoi ?",
}
CRITERION = {
    "English": ("Work with {word}", "Whether the candidate has done it.", "Tells what was done with {word}"),
    "German": ("Arbeit mit {word}", "Ob die Person das getan hat.", "Erzählt von der Arbeit mit {word}"),
    "Spanish": ("Trabajo con {word}", "Si la persona lo ha hecho.", "Cuenta qué hizo con {word}"),
    "French": ("Travail avec {word}", "Si la personne l’a fait.", "Raconte ce que l’on fait avec {word}"),
}
"""Name, meaning, and the beginning of each level."""
ORDER = re.compile(r"(?:ask|frage|pregunta|demande)s? ?: ?(?P<order>[^?.!]*[?.!])", re.IGNORECASE)
PRYING = {
    "English": "How old are you, and do you have children?",
    "German": "Wie alt sind Sie, und haben Sie Kinder?",
    "Spanish": "¿Qué edad tiene usted y tiene hijos?",
    "French": "Quel âge avez-vous, et avez-vous des enfants ?",
}

Message = tuple[dict[str, Any], str]


class InterviewDrafts:
    """The tempers: each returns a message and its ending."""

    def helpful(self, system: str, user: str) -> Message:
        return _said(_draft(system, user))

    def obeying(self, system: str, user: str) -> Message:
        """Do what the job description orders: make it every question, and the name of a criterion."""
        order = ORDER.search(json.loads(user)["job_description"])
        if order is None:
            return self.helpful(system, user)
        draft, ordered = _draft(system, user), order["order"].strip()
        criterion = draft["criteria"][0] | {"name": ordered, "meaning": ordered}
        return _said(draft | {"title": ordered, "questions": [ordered] * 6, "criteria": [criterion]})

    def prying(self, system: str, user: str) -> Message:
        """Ask one question that must not be asked, and judge by one thing that must not be judged."""
        draft, prying = _draft(system, user), PRYING[_language(system)]
        draft["questions"][0] = prying
        draft["criteria"][1] |= {"meaning": prying}
        return _said(draft)

    def inventing(self, system: str, user: str) -> Message:
        """Write in another language."""
        other = "German" if _language(system) != "German" else "English"
        return _said(_draft(system.replace(_language(system), other), user))

    def silent(self, system: str, user: str) -> Message:
        return _said({"title": "", "questions": [], "criteria": []})

    def malformed(self, system: str, user: str) -> Message:
        return {"role": "assistant", "content": "Sure! Here are your questions: 1. Why?"}, "stop"

    def broken(self, system: str, user: str) -> Message:
        """Answer in the right form with characters that no database takes."""
        draft = _draft(system, user)
        draft["questions"][0] = "What is \0 and \ud800 to you?"
        return _said(draft)

    def talkative(self, system: str, user: str) -> Message:
        return _said(_draft(system, user) | {"publish": True})

    def cut_off(self, system: str, user: str) -> Message:
        return {"role": "assistant", "content": _said(_draft(system, user))[0]["content"][:200]}, "length"

    def refusing(self, system: str, user: str) -> Message:
        return {"role": "assistant", "content": None, "refusal": "I cannot help with that."}, "stop"


def _language(system: str) -> str:
    return next(name for name in QUESTION if f"Write in {name}" in system)


def _draft(system: str, user: str) -> dict[str, Any]:
    language = _language(system)
    count = int(re.search(r"exactly (\d+) questions", system)[1])  # type: ignore[index]
    words = list(dict.fromkeys(re.findall(r"[^\W\d_]{6,}", json.loads(user)["job_description"])))
    name, meaning, level = CRITERION[language]
    return {
        "title": " ".join(words[:3]),
        "questions": [QUESTION[language].format(word=words[n % len(words)]) for n in range(count)],
        "criteria": [
            {
                "name": name.format(word=word),
                "meaning": meaning,
                "levels": [f"{level.format(word=word)}, {n}" for n in range(1, 5)],
                "questions": [n, n + 1],
            }
            for n, word in enumerate(words[:3], start=1)
        ],
    }


def _said(values: dict[str, Any]) -> Message:
    return {"role": "assistant", "content": json.dumps(values)}, "stop"
