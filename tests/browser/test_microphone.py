"""What happens to microphones in the middle of an answer, in each browser: the page goes on or says why.

Chromium always; Firefox and WebKit in `make proof`. All rows of one engine are told in one answer.
"""

import pytest

from tests.browser import browsers
from tests.browser.room import Room
from tests.browser.test_interview import session_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

# Keeps what the page opens where a test can reach it, and lets a test take parts of it away.
HOOKS = """
() => {
  const media = (window.media = navigator.mediaDevices);
  const open = media.getUserMedia.bind(media);
  const list = media.enumerateDevices.bind(media);
  Object.assign(window, { isMuted: false, isRefusing: false, others: null, locks: 0 });
  media.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    [window.track] = stream.getAudioTracks();
    Object.defineProperty(window.track, "muted", { get: () => window.isMuted });
    return stream;
  };
  media.enumerateDevices = async () => window.others ?? list();
  const Native = (window.NativeContext = window.AudioContext);
  window.AudioContext = class extends Native {
    constructor(...options) {
      super(...options);
      window.context = this;
    }
    resume() {
      return window.isRefusing ? new Promise(() => {}) : super.resume();
    }
    createMediaStreamSource(stream) {
      return (window.source = super.createMediaStreamSource(stream));
    }
  };
  const request = async () => {
    window.locks++;
    return (window.lock = { released: false, release: async () => {} });
  };
  Object.defineProperty(navigator, "wakeLock", { value: { request }, configurable: true });
}
"""
SET_MUTED = """
(isMuted) => {
  window.isMuted = isMuted;
  window.track.dispatchEvent(new Event(isMuted ? "mute" : "unmute"));
}
"""
UNPLUG = """
() => {
  const another = { kind: "audioinput", deviceId: "another", label: "Another" };
  window.others = [another];
  window.media.dispatchEvent(new Event("devicechange"));
}
"""


@pytest.fixture(scope="module", params=browsers.ENGINES)
def recording(request, speaking_stack, spoken_wav, tmp_path_factory):
    """A room in the middle of an answer. Each test leaves it so."""
    url = speaking_stack.invite()
    with browsers.open_page(request, tmp_path_factory.mktemp("browser"), spoken_wav) as page:
        room = Room(page)
        room.consent(url)
        limit(speaking_stack, url, seconds=600)
        page.evaluate(HOOKS)
        room.check_devices()
        room.skip_practice()
        room.start()
        room.begin_answer()
        room.speak(0.5)
        yield room


def limit(stack, url: str, *, seconds: int) -> None:
    """Set how long this candidate may speak."""
    change = """UPDATE interviews_answer SET answer_limit_seconds = %s, retakes_left = 0
                WHERE session_id = %s RETURNING 1"""
    assert stack.rows(change, [seconds, session_of(stack, url)])


def assert_goes_on(room: Room) -> None:
    room.wait_for("record")
    room.speak(0.5)


def assert_waits(room: Room, heading: str) -> None:
    """The page says what is wrong, and the time of the answer does not pass."""
    room.wait_for("problem")
    room.wait_for_text("heading", heading)
    room.page.wait_for_timeout(300)  # the last frame is stored
    kept = room.kept_bytes()
    room.page.wait_for_timeout(400)
    assert room.kept_bytes() == kept


def test_capture_runs_at_the_rate_of_the_device(recording):
    rates = "() => [window.context, new window.NativeContext()].map(({ sampleRate }) => sampleRate)"
    used, own = recording.page.evaluate(rates)
    assert used == own > 16_000


def test_context_that_was_suspended_is_resumed(recording):
    recording.page.evaluate("() => window.context.suspend()")
    assert_goes_on(recording)
    assert recording.page.evaluate("() => window.context.state") == "running"


def test_context_that_stays_suspended_is_told_and_goes_on_when_it_runs(recording):
    recording.page.evaluate("() => { window.isRefusing = true; window.context.suspend(); }")
    assert_waits(recording, "We paused for you")
    recording.page.evaluate("() => { window.isRefusing = false; }")
    assert_goes_on(recording)


@pytest.mark.proof
def test_context_that_stays_suspended_goes_on_by_the_button(recording):
    recording.page.evaluate(
        "() => { window.context.resume = () => new Promise(() => {}); window.context.suspend(); }"
    )
    assert_waits(recording, "We paused for you")
    recording.press("retry")
    assert_goes_on(recording)


def test_muted_microphone_is_told_and_goes_on_when_it_is_not(recording):
    recording.page.evaluate(SET_MUTED, True)
    assert_waits(recording, "Your microphone is muted")
    recording.page.evaluate(SET_MUTED, False)
    assert_goes_on(recording)


def test_microphone_that_sends_nothing_is_told(recording):
    recording.page.evaluate("() => window.source.disconnect()")
    assert_waits(recording, "No sound comes from your microphone")
    recording.press("retry")
    assert_goes_on(recording)


@pytest.mark.proof
def test_track_that_ended_without_a_word_is_told(recording):
    recording.page.evaluate("() => window.track.stop()")
    assert_waits(recording, "Your microphone was disconnected")
    recording.press("retry")
    assert_goes_on(recording)


@pytest.mark.proof
def test_microphone_that_is_not_in_the_list_any_more_is_told(recording):
    recording.page.evaluate(UNPLUG)
    assert_waits(recording, "Your microphone was disconnected")
    recording.page.evaluate("() => { window.others = null; }")
    recording.press("retry")
    assert_goes_on(recording)


def test_screen_is_kept_on_again_when_the_page_is_seen_again(recording):
    seen = "() => { window.lock.released = true; document.dispatchEvent(new Event('visibilitychange')); }"
    before = recording.page.evaluate("() => window.locks")
    recording.page.evaluate(seen)
    recording.page.wait_for_function("(before) => window.locks === before + 1", arg=before)
    assert before > 0


@pytest.fixture(params=browsers.ENGINES)
def quiet(request, speaking_stack, tmp_path):
    """A room whose microphone delivers zeros, as one with a switch of its own does; and what it may hear."""
    with browsers.open_page_on_sound_system(request, tmp_path) as (page, sound):
        yield Room(page), sound


def open_quietly(room: Room, stack, url: str, *, limit_s: int) -> None:
    room.consent(url)
    limit(stack, url, seconds=limit_s)
    room.check_devices()
    room.skip_practice()
    room.start()
    room.begin_answer()


def test_silent_answer_is_asked_again_and_the_second_time_waits(speaking_stack, quiet):
    (room, _), url = quiet, speaking_stack.invite()
    open_quietly(room, speaking_stack, url, limit_s=2)
    room.press("done")
    room.wait_for_text("prompt-question", "We have not heard anything yet")

    room.wait_for_text("asked-again", "We heard nothing in the time for this answer")
    room.begin_answer()
    room.wait_for("review")
    room.wait_for_text("hint", "We heard nothing in the time for this answer")
    assert marks_of(speaking_stack, url) == [("recorded", True, True)]
    room.press("next")
    room.wait_for_any("ask", "think")
    room.wait_for_text("position", "Question 2")
    assert room.shown("asked-again") == ""


def marks_of(stack, url: str) -> list[tuple]:
    query = """SELECT status, is_silent, asked_again_at > asked_at FROM interviews_answer
               WHERE session_id = %s AND position = 1"""
    return stack.rows(query, [session_of(stack, url)])


@pytest.mark.proof
def test_page_waits_when_the_sound_ends_in_an_answer(speaking_stack, quiet, spoken_wav):
    (room, sound), url = quiet, speaking_stack.invite()
    open_quietly(room, speaking_stack, url, limit_s=120)
    sound.play(spoken_wav)
    room.wait_for_text("prompt-question", "Anything to add?")
    room.wait_for_text("moving-on", "Your microphone sends no sound at all")
    room.page.wait_for_timeout(7_000)  # longer than the page counts down
    assert room.wait_for_any("record", "review", "ask", "think") == "record"


@pytest.fixture(params=browsers.ENGINES)
def room_without_sound(request, speaking_stack, spoken_wav, tmp_path):
    """A room on a machine without a loudspeaker: so in Firefox, and as if so in the others."""
    with browsers.open_page_without_sound_output(request, tmp_path, spoken_wav) as page:
        room = Room(page)
        room.consent(speaking_stack.invite())
        if request.param != "firefox":
            page.evaluate("() => { AudioContext.prototype.resume = () => new Promise(() => {}); }")
        yield room


@pytest.mark.proof
def test_browser_that_does_not_start_its_sound_is_told(room_without_sound):
    room_without_sound.press("start-check")
    room_without_sound.wait_for("problem")
    room_without_sound.wait_for_text("heading", "Your browser does not start its sound")
