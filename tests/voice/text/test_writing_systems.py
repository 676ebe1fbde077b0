import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.engines.tts.espeak import Espeak
from voice.text.markup import looks_like_markup
from voice.text.writing_systems import is_speakable, scripts_for, scripts_of


@pytest.mark.parametrize(
    "text",
    [
        "<speak>Hello</speak>",
        'Wait.<break time="1s"/>Go on.',
        "Wait. <break/> Go on.",
        "</prosody>",
        '<mstts:express-as style="sad">Oh</mstts:express-as>',
        "<amazon:whispered>psst",
        "<p>Dear candidate,<br>welcome</p>",
        '<?xml version="1.0"?>',
        "<!-- hidden -->",
        "<![CDATA[x]]>",
        "<anything/>",
        "<SPEAK>",
    ],
)
def test_markup_is_recognised(text):
    assert looks_like_markup(text)


@pytest.mark.parametrize(
    "text",
    [
        "Is 3 < 4 and 5 > 4?",
        "I <3 Python",
        "What does List<String> mean?",
        "Hello <name>, welcome.",
        "a <- b -> c <= d => e <> f",
        "Write to <ann@example.org>.",
        "R&D at 5 & 6",
        "",
    ],
)
def test_plain_text_is_no_markup(text):
    assert not looks_like_markup(text)


@pytest.mark.parametrize("unit", ["<", "<a ", "<a" * 40, "<a b=", "< ", "<a:", "<speak "])
def test_a_megabyte_of_beginnings_is_searched_in_one_pass(unit):
    looks_like_markup(unit * (1_000_000 // len(unit)))


def test_letters_are_counted_by_script():
    assert scripts_of("Hello, мир! 你好 12 ｈｉ ﾊﾟー々") == {
        "latin": 7,
        "cyrillic": 3,
        "han": 3,
        "katakana": 3,
    }


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Tell me about yourself.", "en-US"),
        ("Was haben Sie getan?", "de"),
        ("Расскажите о Kubernetes и Docker.", "ru"),
        ("请介绍一下 Kubernetes Deployment 的工作原理。", "zh-CN"),
        ("自己紹介をしてください。", "ja"),
        ("자기소개를 해 주세요", "ko_KR"),
        ("حدثني عن نفسك", "ar"),
        ("अपने बारे में बताइए", "hi"),
        ("Reci mi nešto", "sr-Latn"),
        ("Реци ми нешто", "sr"),
        ("42", "ru"),
        ("anything", "tlh"),
        ("什么都行", "tlh"),
    ],
)
def test_text_in_the_language_s_script_is_speakable(text, language):
    assert is_speakable(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Расскажите о себе.", "en-US"),
        ("你好，请坐。", "de"),
        ("Tell me about yourself.", "ru"),
        ("Hello", "zh"),
        ("Расскажите о себе, OK.", "en"),
        ("Реци ми нешто", "sr-Latn"),
        ("!?… — ", "en"),
        ("🙂🙂", "en"),
        ("", "en"),
        ("\u200d", "fa"),
    ],
)
def test_text_in_another_script_or_without_letters_is_not(text, language):
    assert not is_speakable(text, language)


def test_letters_of_common_use_belong_to_no_script():
    assert scripts_of("ª º µ") == {}


def test_every_script_of_the_table_is_one_that_unicode_names():
    for language, letter in {
        "el": "λ",
        "hy": "Ա",
        "ka": "ა",
        "he": "א",
        "th": "ก",
        "am": "አ",
        "my": "က",
    }.items():
        assert scripts_for(language) == set(scripts_of(letter))


def test_most_languages_of_espeak_are_known():
    languages = {voice.language for voice in Espeak().voices()}

    unknown = {language for language in languages if not scripts_for(language)}

    assert len(unknown) < len(languages) / 5, unknown


@given(st.text(), st.sampled_from(["en", "ru", "zh", "xx", ""]))
def test_any_text_gets_an_answer(text, language):
    looks_like_markup(text)
    is_speakable(text, language)
