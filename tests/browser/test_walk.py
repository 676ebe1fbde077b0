"""A candidate's whole interview in each browser, with real speech: how much of it arrives, and how well.

In Chromium test_interview.py does the same with its own microphone; all of this runs in `make proof`.
"""

import numpy as np
import pytest

from tests.browser import browsers
from tests.browser.room import Room
from tests.browser.test_interview import recordings_of, session_of, wait_until_done
from tests.sounds import encode_wav
from tests.speech import recordings, spoken
from voice.audio import decoding, pcm

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.timeout(900)]

RATE_HZ = 16_000
PIECE_S = 0.5
LEAST_SNR_DB = 10.0
UNPROCESSED = """
() => {
  const media = (window.media = navigator.mediaDevices);
  const open = media.getUserMedia.bind(media);
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  media.getUserMedia = ({ audio }) => open({ audio: { ...audio, ...plain } });
}
"""


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """float32[n_samples] at 16 000 Hz: a person, or espeak-ng where there is no recording."""
    people = [each.samples() for each in recordings("en")]
    return people[0] if people else spoken("I built a small service that reads invoices and finds mistakes.")


@pytest.fixture(scope="module")
def speech_wav(speech, tmp_path_factory):
    path = tmp_path_factory.mktemp("speech") / "speech.wav"
    path.write_bytes(encode_wav(pcm.s16le_from_samples(speech)))
    return path


@pytest.fixture(params=browsers.EVERY_ENGINE)
def room(request, speaking_stack, speech_wav, tmp_path):
    with browsers.open_page_on_sound_system(request, tmp_path) as (page, sound), sound.played(speech_wav):
        yield Room(page)


def test_interview_with_a_reload_arrives_as_it_was_spoken(speaking_stack, room, speech, record_property):
    url = speaking_stack.invite()
    room.consent(url)
    room.page.evaluate(UNPROCESSED)
    room.check_devices()
    room.skip_practice()
    room.start()
    for n in range(3):
        room.begin_answer()
        room.speak(4)
        if n == 1:
            reload(room)
            room.speak(3)
        room.finish_answer()
    room.wait_for("finish")

    session_id = session_of(speaking_stack, url)
    wait_until_done(speaking_stack, session_id, 3)
    kept, stored = room.kept(), recordings_of(speaking_stack, session_id)
    for recording_id, row in stored.items():
        path = speaking_stack.directory / "media" / row["name"]
        assert decoding.decode_flac(path.read_bytes())[0] == kept[recording_id]
        assert row["text"]
    first, _, last = (pcm.samples_from_s16le(kept[recording_id]) for recording_id in stored)
    figures = {name: snr_db(said, speech) for name, said in (("first", first), ("last", last))}
    print(f"signal to noise: {figures}")
    record_property("snr_db", figures)
    assert min(figures.values()) > LEAST_SNR_DB, figures


def reload(room: Room) -> None:
    room.page.reload()
    room.wait_for("resume")
    room.page.evaluate(UNPROCESSED)
    room.press("continue")
    room.wait_for("record")


def snr_db(recorded: np.ndarray, said: np.ndarray) -> float:
    """The median, over pieces of half a second, of how far the difference lies below the speech.

    Each piece is found in what was said, which is played again and again, and scaled to the same level.
    """
    size = int(PIECE_S * RATE_HZ)
    around = np.concatenate([said, said[:size]])
    pieces = [recorded[start : start + size] for start in range(size, len(recorded) - size, size)]
    loud = [piece for piece in pieces if piece.std() > 0.1 * recorded.std()]
    return round(float(np.median([snr_of(piece, around) for piece in loud])), 1)


def snr_of(piece: np.ndarray, said: np.ndarray) -> float:
    at = int(np.argmax(np.abs(correlation(said, piece))))
    wanted = shifted(said[max(0, at - 64) : at + len(piece) + 64], piece)
    gain = float(piece @ wanted) / float(wanted @ wanted)
    noise = piece - gain * wanted
    return 10 * float(np.log10((gain * wanted).var() / (noise.var() + 1e-15)))


def correlation(said: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """The likeness of `piece` at each place of `said`, by FFT."""
    size = len(said) + len(piece)
    product = np.fft.irfft(np.fft.rfft(said, size) * np.conj(np.fft.rfft(piece, size)), size)
    valid = product[: len(said) - len(piece) + 1]
    energy = np.convolve(said.astype(np.float64) ** 2, np.ones(len(piece)), "valid")
    return valid / np.sqrt(energy + 1e-9)


def shifted(around: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """The part of `around` that is most like `piece`, at a fraction of a sample."""
    best = (-np.inf, piece)
    spectrum = np.fft.rfft(around)
    frequencies = np.fft.rfftfreq(len(around))
    for delay in np.arange(0, len(around) - len(piece), 0.125):
        moved = np.fft.irfft(spectrum * np.exp(2j * np.pi * frequencies * delay), len(around))[: len(piece)]
        likeness = float(moved @ piece) / float(np.linalg.norm(moved) + 1e-9)
        best = max(best, (likeness, moved), key=lambda pair: pair[0])
    return best[1]
