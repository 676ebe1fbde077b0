"""The translations of the pages: complete for candidates, compiled, and with the same places to fill in."""

import ast
import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.template.base import Lexer, TokenType

ROOT = Path(__file__).resolve().parent.parent
TRANSLATED = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
TEMPLATES = [
    *sorted((ROOT / "templates").glob("*.html")),
    *sorted((ROOT / "templates/interviews").rglob("*.html")),
    *sorted((ROOT / "templates/interviews").rglob("*.txt")),
]
MODULES = [
    path
    for folder in ("interviews/static/interviews", "voice/static/voice")
    for path in sorted((ROOT / folder).rglob("*.js"))
    if "playground" not in path.parts  # a page of staff
]
FOR_CANDIDATES = (
    *("templates/base.html", "templates/interviews/", "interviews/candidate/", "interviews/privacy/"),
    *("templates/403_csrf.html", "templates/404.html", "templates/500.html"),
    *("interviews/open_links/forms.py", "interviews/texts/accommodations.py"),
    *("interviews/correcting/", "interviews/actions/rewording.py"),
)
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+[^>]*>")
SEEN = ("alt", "aria-label", "placeholder", "title")


def catalog(language: str) -> Catalog:
    with (ROOT / f"locale/{language}/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> Iterator[Message]:
    return (message for message in catalog(language) if message.id)


def forms(text: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (text or "",)


def is_for_candidates(message: Message) -> bool:
    return any(path.startswith(FOR_CANDIDATES) for path, _line in message.locations)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_for_candidates_is_translated(language):
    wanted = [message for message in messages(language) if is_for_candidates(message)]
    assert len(wanted) > 200
    assert [message.id for message in wanted if not all(forms(message.string))] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_a_guess(language):
    assert [message.id for message in messages(language) if message.fuzzy] == []
    assert not catalog(language).obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_places_of_the_original(language):
    def places(text):
        return sorted(PLACES.findall(text))

    differing = [
        message.id
        for message in messages(language)
        for form in forms(message.string)
        if form and places(form) != places(forms(message.id)[-1])
    ]
    assert differing == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_are_compiled(language):
    """Machines without gettext serve what lies in the repository."""
    with (ROOT / f"locale/{language}/LC_MESSAGES/django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in messages(language):
        for n, form in enumerate(forms(message.string)):
            if not all(forms(message.string)):
                continue
            context = f"{message.context}\x04" if message.context else ""
            key = (context + message.id[0], n) if message.pluralizable else context + message.id
            assert compiled._catalog[key] == form, f"{key}: run `make messages`"


def test_sources_say_nothing_that_the_catalogues_lack():
    """Else a new text stays English: `make messages` was not run."""
    known = {form for message in messages("de") for form in forms(message.id)}
    missing = [text for path in TEMPLATES for text in marked(path) if text not in known]
    missing += [text for path in sources() for text in marked_in_python(path) if text not in known]
    assert missing == []


def marked(path: Path) -> Iterator[str]:
    """The texts of a template that stand in {% translate "…" %}."""
    for text in re.findall(r"{%\s*translate\s+(\"[^\"]*\"|'[^']*')", path.read_text(encoding="utf-8")):
        yield ast.literal_eval(text)


def sources() -> list[Path]:
    apps = ("accounts", "interview_platform", "interviews", "voice")
    return [
        path for app in apps for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts
    ]


def marked_in_python(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id in ("_", "gettext", "gettext_lazy", "ngettext"):
            yield from (
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            )


class Words(HTMLParser):
    """Collects what a reader of a page sees or hears."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag, attrs):
        self._hidden += tag in ("script", "style")
        self._note(value for name, value in attrs if name in SEEN and value)

    def handle_endtag(self, tag):
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if not self._hidden:
            self._note([data])

    def _note(self, texts):
        self.words += [text.strip() for text in texts if re.search(r"[^\W\d_]{2}", text)]


def unmarked(path: Path) -> list[str]:
    """The texts of a template that stand in it as they are."""
    page, is_marked = [], False
    for token in Lexer(path.read_text(encoding="utf-8")).tokenize():
        if token.token_type == TokenType.BLOCK and "blocktranslate" in token.contents.split(" ", 1)[0]:
            is_marked = not token.contents.startswith("end")
        if token.token_type == TokenType.TEXT and not is_marked:
            page.append(token.contents)
        if token.token_type == TokenType.VAR:
            page.append("1")
    words = Words()
    words.feed("".join(page))
    words.close()
    return words.words


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_for_candidates_have_no_text_of_their_own(path):
    assert unmarked(path) == []


def test_text_that_is_not_marked_is_found(tmp_path):
    template = tmp_path / "page.html"
    template.write_text(
        '{% load i18n %}<p title="{{ a }}">{% translate "Hello" %}'
        "{% blocktranslate %}You{% endblocktranslate %}"
        '<input aria-label="Your name">{% if a %}Wait{% endif %}'
    )
    assert unmarked(template) == ["Your name", "Wait"]


LITERAL = re.compile(r""""[^"\n]*"|'[^'\n]*'|`[^`\n]*`""")
TWO_WORDS = re.compile(r"[^\W\d_]{2,} [^\W\d_]{2,}")
FOR_PROGRAMMERS = re.compile(r"^\s*(//|\*|/\*)|console\.|new \w*(Error|TooLong)\(")


def sentences(source: str) -> list[str]:
    """Literals of a module with two words or more, but for what only programmers read."""
    lines = (line for line in source.splitlines() if not FOR_PROGRAMMERS.search(line))
    literals = [found[0] for line in lines for found in LITERAL.finditer(line.partition(" // ")[0])]
    return [literal[1:-1] for literal in literals if TWO_WORDS.search(literal)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_modules_have_no_text_of_their_own(path):
    assert sentences(path.read_text(encoding="utf-8")) == []


def test_sentence_in_a_module_is_found():
    assert sentences(
        '// say "one moment"\nbutton.textContent = `Please wait ${n} s`; // not "this here"'
    ) == ["Please wait ${n} s"]


def test_modules_ask_only_for_texts_that_exist():
    names = set(re.findall(r'data-text="([\w-]+)"', (ROOT / "templates/interviews/room.html").read_text()))
    asked = {
        name for path in MODULES for name in re.findall(r'\b(?:text|plural)\("([\w-]+)"', path.read_text())
    }
    assert len(asked) > 30
    assert asked <= names | {name.rpartition("-")[0] for name in names}
