from voice.audio.pcm import BYTES_A_SECOND
from voice.live.captions import LONGEST_BYTES, PATIENCE_BYTES, CaptionTrack, CaptionWanted
from voice.recordings import buffer

S = BYTES_A_SECOND


def speaking_track() -> CaptionTrack:
    track = CaptionTrack(0)
    track.speech_started(0)
    return track


def test_silence_wants_no_caption():
    assert CaptionTrack(0).advance_to(10 * S) is None


def test_speech_wants_a_caption_a_second():
    track = speaking_track()
    assert track.advance_to(S // 2) is None
    assert track.advance_to(S) == CaptionWanted(0, S)


def test_only_one_caption_is_under_way():
    track = speaking_track()
    track.advance_to(S)
    assert track.advance_to(3 * S) is None
    assert track.recognised(0, S, "one") == "one"
    assert track.advance_to(3 * S) == CaptionWanted(0, 3 * S)


def test_utterance_stands_after_its_pause():
    track = speaking_track()
    track.speech_ended(2 * S)
    assert track.advance_to(3 * S) == CaptionWanted(0, 2 * S)
    track.recognised(0, 2 * S, "first.")
    track.speech_started(4 * S)
    wanted = track.advance_to(6 * S)
    assert wanted.start >= 2 * S
    assert track.recognised(wanted.start, wanted.end, "second") == "first. second"


def test_long_utterance_is_cut():
    track = speaking_track()
    wanted = track.advance_to(20 * S)
    assert wanted == CaptionWanted(0, LONGEST_BYTES)
    track.recognised(wanted.start, wanted.end, "long")
    assert track.advance_to(20 * S) == CaptionWanted(LONGEST_BYTES, 20 * S)


def test_caption_that_never_comes_back_is_asked_again():
    track = speaking_track()
    track.advance_to(S)
    assert track.advance_to(S + PATIENCE_BYTES + 2) == CaptionWanted(0, S + PATIENCE_BYTES + 2)


def test_caption_that_comes_too_late_is_dropped():
    track = speaking_track()
    track.advance_to(S)
    track.advance_to(S + PATIENCE_BYTES + 2)
    assert track.recognised(0, S, "stale") is None


def test_refused_caption_waits_for_more_audio():
    track = speaking_track()
    track.advance_to(S)
    track.refused()
    assert track.advance_to(S + 2) is None
    assert track.advance_to(2 * S) == CaptionWanted(0, 2 * S)


def test_longest_caption_reads_what_the_buffer_keeps():
    assert LONGEST_BYTES <= buffer.KEPT_BYTES
