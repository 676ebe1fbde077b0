import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.text.subtitles import CUE_LIMIT_S, LINE_COLUMNS, cues, srt, vtt
from voice.types import Segment, Word

LONG = (
    "I led a small team that moved our billing to a new system, which took us nine months, and I am still "
    "proud that not one customer noticed anything at all."
)


def segment(text: str, start_s: float = 0.0, end_s: float = 2.0, words: tuple[Word, ...] = ()) -> Segment:
    return Segment(text, start_s, end_s, -0.1, 0.0, words)


def timed(text: str, *, word_s: float = 0.5, start_s: float = 0.0) -> Segment:
    """A segment with words of `word_s` each."""
    words = tuple(
        Word(word, start_s + number * word_s, start_s + (number + 1) * word_s, 0.9)
        for number, word in enumerate(text.split())
    )
    return segment(text, start_s, words[-1].end_s, words)


def test_srt_of_two_segments():
    text = srt([segment("Hello there.", 0.5, 1.25), segment("Fine.", 3661.0, 3662.0015)])

    assert text == (
        "1\n00:00:00,500 --> 00:00:01,250\nHello there.\n\n2\n01:01:01,000 --> 01:01:02,002\nFine.\n"
    )


def test_vtt_of_two_segments():
    text = vtt([segment("Hello there.", 0.5, 1.25), segment("Fine.", 360_000.0, 360_001.0)])

    assert text == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nHello there.\n\n100:00:00.000 --> 100:00:01.000\nFine.\n"
    )


def test_a_time_just_below_a_minute_is_rounded_up_whole():
    assert "00:01:00,000 --> " in srt([segment("Hi", 59.9996, 61)])


def test_nothing_heard_gives_an_empty_file():
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n"
    assert srt([segment("  \n ")]) == ""


def test_vtt_escapes_what_would_be_markup():
    text = vtt([segment("if a < b && c --> d")], speakers=["<i>Ann & Bob"])

    assert "<v &lt;i&gt;Ann &amp; Bob>if a &lt; b &amp;&amp; c --&gt; d" in text


def test_srt_text_holds_no_second_arrow_and_no_blank_line():
    text = srt([segment("a --> b\n\n9\n00:00:00,000 --> 00:00:01,000\nc")])

    assert text.count("-->") == 1
    assert text.count("\n\n") == 0


def test_a_long_segment_is_cut_by_the_times_of_its_words():
    made = cues([timed(LONG, word_s=0.3)])

    assert len(made) == 2
    assert " ".join(line for cue in made for line in cue.lines) == LONG
    n_words = sum(len(line.split()) for line in made[0].lines)
    assert made[0].end_s == pytest.approx(n_words * 0.3)
    assert made[1].start_s == pytest.approx(n_words * 0.3)


def test_a_slow_segment_is_cut_though_it_is_short():
    made = cues([timed("one two three four", word_s=3.0)])

    assert [cue.lines for cue in made] == [("one two",), ("three four",)]


def test_a_long_segment_without_words_is_cut_evenly():
    made = cues([segment(LONG, 10.0, 22.0)])

    assert " ".join(line for cue in made for line in cue.lines) == LONG
    assert made[0].start_s == 10.0
    assert made[-1].end_s == pytest.approx(22.0)
    assert all(before.end_s <= after.start_s for before, after in itertools.pairwise(made))


def test_words_that_are_not_in_the_text_are_passed_over():
    made = cues([segment("What was heard.", 0, 2, (Word("other", 0, 1, 0.5),))])

    assert made[0].lines == ("What was heard.",)


def test_spelling_and_punctuation_come_from_the_text():
    words = (Word(" Well", 0, 0.5, 1), Word("yes", 0.5, 1, 1))

    assert cues([segment("“Well, yes!”", 0, 1, words)])[0].lines == ("“Well, yes!”",)


def test_a_script_without_spaces_is_cut_by_its_width():
    made = cues([segment("自己紹介をしてください" * 8, 0, 12)])

    assert all(len(line) <= LINE_COLUMNS // 2 for cue in made for line in cue.lines)
    assert "".join(line for cue in made for line in cue.lines) == "自己紹介をしてください" * 8


def test_a_speaker_is_named_in_srt_where_the_speaker_changes():
    said = [segment("Hello."), segment("How are you?"), segment("Fine."), segment("Noise.")]

    text = srt(said, speakers=["Ann", "Ann", "Bob", None])

    assert [line for line in text.splitlines() if line.endswith((".", "?"))] == [
        "Ann: Hello.",
        "How are you?",
        "Bob: Fine.",
        "Noise.",
    ]


def test_each_vtt_cue_has_its_voice():
    text = vtt([timed(LONG, word_s=0.3), segment("Fine.")], speakers=["Ann", None])

    assert text.count("<v Ann>") == 2
    assert "\nFine." in text


def test_speakers_for_other_segments_are_refused():
    with pytest.raises(ValueError):
        srt([segment("Hello.")], speakers=[])


@given(
    st.lists(st.tuples(st.text(max_size=300), st.floats(0, 1e5), st.floats(0, 60), st.booleans()), max_size=5)
)
def test_any_text_makes_cues_of_two_short_lines_that_lose_nothing(parts):
    segments = [
        timed(text, word_s=length_s / 10, start_s=start_s)
        if has_words and text.split()
        else segment(text, start_s, start_s + length_s)
        for text, start_s, length_s, has_words in parts
    ]

    made = cues(segments)

    assert all(0 < len(cue.lines) <= 2 and cue.start_s <= cue.end_s for cue in made)
    assert all(line.strip() for cue in made for line in cue.lines)
    assert all(len(line) <= LINE_COLUMNS for cue in made for line in cue.lines)
    file = vtt(segments)
    assert len(re.findall(r"^\d{2,}:\d\d:\d\d\.\d{3} --> \d{2,}:\d\d:\d\d\.\d{3}$", file, re.M)) == len(made)


def test_no_cue_of_short_words_lasts_over_the_limit():
    assert all(cue.end_s - cue.start_s <= CUE_LIMIT_S for cue in cues([timed(LONG, word_s=0.9)]))
