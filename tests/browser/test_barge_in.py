"""A candidate speaks during the question: playback stops, and every word is in the answer."""

import base64

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.room import Room
from tests.speech import spoken
from voice.audio.pcm import samples_from_s16le

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

QUIET_S = 1.2
LONGEST_LEAD_S = 1.5  # the page buffers this much audio before it detects a voice
ANSWER = "Good morning. I began in a small shop, and I liked to find out what people really needed."

# A microphone that is silent until the test plays speech into it.
MICROPHONE = """
({samples, echo}) => {
  const play = HTMLMediaElement.prototype.play;
  window.played = [];
  HTMLMediaElement.prototype.play = function () {
    window.played.push(this);
    if (echo) window.hearQuestion(this.src);
    return play.call(this);
  };
  const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (char) => char.charCodeAt(0)).buffer);
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext({ sampleRate: 16000 });
    const microphone = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    const say = (buffer, volume) => {
      const gain = new GainNode(context, { gain: volume });
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(gain).connect(microphone);
      source.start();
    };
    const buffer = context.createBuffer(1, samples.length * 3 / 16, 16000);
    buffer.copyToChannel(floats(samples), 0);
    window.speak = () => say(buffer, 1);
    window.hearQuestion = async (url) => {
      const audio = await (await fetch(url)).arrayBuffer();
      say(await context.decodeAudioData(audio), echo);
    };
    return microphone.stream;
  };
}
"""


def answer_samples():
    """float32[n_samples]: room noise, then the answer."""
    speech = spoken(ANSWER)
    noise = np.random.default_rng(5).standard_normal(int(QUIET_S * 16_000)) * 0.0005
    return np.concatenate([noise.astype(np.float32), speech])


def put_in_microphone(page, *, echo: float = 0.0) -> None:
    """Play into the microphone. echo: the share of the question's level that the loudspeakers return."""
    samples = answer_samples()
    padded = samples[: len(samples) // 12 * 12].astype("<f4").tobytes()  # whole groups of base64
    text = base64.b64encode(padded).decode()
    page.add_init_script(f"({MICROPHONE})({{samples: '{text}', echo: {echo}}})")


@pytest.fixture
def invitation(speaking_stack) -> str:
    return speaking_stack.invite()


def hear_first_question(room: Room, url: str) -> None:
    room.to_first_question(url)
    room.wait_for("ask")
    room.page.wait_for_function("() => window.played.length > 0 && window.played.at(-1).currentTime > 0")


def test_candidate_who_speaks_over_the_question_is_recorded_from_the_first_word(
    speaking_stack, page, invitation
):
    put_in_microphone(page)
    room = Room(page)
    hear_first_question(room, invitation)

    page.evaluate("window.speak()")
    room.wait_for("record")
    room.speak(4)

    expect(page.locator("[data-part=hint]")).to_contain_text("began to speak")
    question = page.evaluate(
        "() => { const {paused, currentTime, duration} = window.played.at(-1);"
        " return {paused, currentTime, duration}; }"
    )
    assert question["paused"]
    assert question["currentTime"] < question["duration"]
    (pcm,) = room.kept().values()
    assert_begins_with(pcm, answer_samples()[int(QUIET_S * 16_000) :])
    room.finish_answer()


def assert_begins_with(pcm: bytes, speech) -> None:
    """Check that the first second of `speech` is near the start of `pcm`, in pieces of a fifth of a second.

    Each piece is located by itself, because on a busy machine the browser's clocks drift a little.
    """
    recorded = samples_from_s16le(pcm)
    places = [place(recorded, speech[start : start + 3_200]) for start in range(0, 16_000, 3_200)]
    assert places[0] < LONGEST_LEAD_S * 16_000
    assert np.abs(np.diff(places) - 3_200).max() < 1_600


def place(recorded, piece) -> int:
    """Return the position of `piece` in `recorded`, in samples."""
    matches = np.correlate(recorded, piece, mode="valid")
    at = int(np.argmax(matches))
    likeness = matches[at] / (np.linalg.norm(recorded[at : at + len(piece)]) * np.linalg.norm(piece))
    assert likeness > 0.9, f"only {likeness:.2f} like what was said"
    return at


def test_echo_of_the_question_is_no_answer(speaking_stack, page, invitation):
    put_in_microphone(page, echo=0.1)
    room = Room(page)
    hear_first_question(room, invitation)

    assert room.wait_for_any("think", "record") == "think"


def test_candidate_who_speaks_over_the_question_is_not_recorded_where_that_is_off(
    speaking_stack, page, invitation
):
    forbid = """
        UPDATE interviews_interviewversion SET is_barge_in_allowed = false
        WHERE interview_id = %s RETURNING 1
    """
    assert speaking_stack.rows(forbid, [speaking_stack.invitation_of(invitation)["interview_id"]])
    put_in_microphone(page)
    room = Room(page)
    hear_first_question(room, invitation)

    page.evaluate("window.speak()")

    assert room.wait_for_any("think", "record") == "think"
    assert page.locator("[data-part=hint]").inner_text().startswith("You can speak for up to")


def test_answer_now_skips_reading_and_thinking(speaking_stack, page, invitation):
    put_in_microphone(page)
    room = Room(page)
    hear_first_question(room, invitation)

    room.press("answer-now")

    room.wait_for("record")
    assert page.evaluate("window.played.at(-1).paused")
