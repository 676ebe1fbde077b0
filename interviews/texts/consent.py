"""The default consent text of a new interview. Recruiters may edit it; candidates agree to their version."""

DEFAULT = {
    "en": (
        "In this interview you answer questions by speaking. Your spoken answers are recorded and "
        "turned into text by speech recognition that runs on our own computers. Before each answer you "
        "see how much time you have.\n\n"
        "The people who decide about this position listen to your answers and read the text. No "
        "decision is made by a computer.\n\n"
        "The recordings and texts are kept for as long as your application takes. You may ask us at any "
        "time what we hold, and ask us to delete it.\n\n"
        "Taking part is voluntary. You can stop at any time, and you can ask us for another way to take "
        "the interview."
    ),
    "de": (
        "In diesem Interview beantworten Sie Fragen mündlich. Ihre Antworten werden aufgenommen und von "
        "einer Spracherkennung auf unseren eigenen Rechnern in Text umgewandelt. Vor jeder Antwort "
        "sehen Sie, wie viel Zeit Sie haben.\n\n"
        "Die Personen, die über die Stelle entscheiden, hören Ihre Antworten und lesen den Text. Kein "
        "Computer trifft eine Entscheidung.\n\n"
        "Aufnahmen und Texte werden aufbewahrt, solange Ihre Bewerbung läuft. Sie können uns jederzeit "
        "fragen, was wir gespeichert haben, und die Löschung verlangen.\n\n"
        "Die Teilnahme ist freiwillig. Sie können jederzeit abbrechen und uns um eine andere Form des "
        "Gesprächs bitten."
    ),
}


def default_text(language: str) -> str:
    """Return the text in this language, or in English if there is none."""
    return DEFAULT.get(language, DEFAULT["en"])
