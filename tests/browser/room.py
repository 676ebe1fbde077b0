"""The candidate's actions in a browser."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.webkit import WebKitPage

STEP_MS = 120_000

OPEN_KEPT = """
  const open = indexedDB.open("interview-audio");
  await new Promise((resolve, reject) => { open.onsuccess = resolve; open.onerror = reject; });
  const all = (name) => new Promise((resolve, reject) => {
    const request = open.result.transaction(name).objectStore(name).getAll();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
"""

READ_KEPT = """
async () => {OPEN_KEPT
  const bytes = (buffer) => {
    let text = "";
    for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
    return btoa(text);
  };
  const [frames, recordings] = [await all("frames"), await all("recordings")];
  open.result.close();
  return {
    recordings: recordings.map(({ id, answer, bytes }) => ({ id, answer, bytes })),
    frames: frames.map(({ recording, offset, pcm }) => ({ recording, offset, pcm: bytes(pcm) })),
  };
}
""".replace("OPEN_KEPT", OPEN_KEPT)

COUNT_KEPT = f"""
async () => {{{OPEN_KEPT}
  const frames = await all("frames");
  open.result.close();
  return frames.reduce((n, {{pcm}}) => n + pcm.byteLength, 0);
}}
"""


SHOWN = """(part) => {
  const element = document.querySelector(`#stage [data-part="${part}"]`);
  return element?.getClientRects().length ? element.textContent : "";
}"""


@dataclass
class Room:
    """The interview room on a page."""

    page: Page | WebKitPage

    def wait_for(self, step: str) -> None:
        self.wait_for_any(step)

    def wait_for_any(self, *steps: str) -> str:
        try:
            self.page.wait_for_function(
                "steps => steps.includes(document.querySelector('#room')?.dataset.step)",
                arg=list(steps),
                timeout=STEP_MS,
            )
        except Exception as error:
            shown = self.page.evaluate("() => document.querySelector('#stage')?.innerText ?? document.title")
            error.add_note(f"waited for {steps}; the page shows {self._step()!r}: {shown[:300]}")
            raise
        return self._step()

    def _step(self) -> str:
        return self.page.evaluate("() => document.querySelector('#room')?.dataset.step ?? ''")

    def press(self, control: str) -> None:
        self.page.click(f"[data-testid={control}]:visible", timeout=STEP_MS)

    def shown(self, part: str) -> str:
        """The text of a part of the screen; empty while it is hidden."""
        return self.page.evaluate(SHOWN, part)

    def wait_for_text(self, part: str, text: str) -> None:
        """Wait until a part of the screen shows a text that begins so."""
        is_shown = f"([part, text]) => ({SHOWN})(part).startsWith(text)"
        self.page.wait_for_function(is_shown, arg=[part, text], timeout=STEP_MS)

    def consent(self, url: str) -> None:
        self.page.goto(url)
        self.page.click("input[type=checkbox]")
        self.page.click("form button")
        self.wait_for("check")

    def check_devices(self) -> None:
        self.press("start-check")
        self.press("continue")
        self.wait_for("practice")

    def skip_practice(self) -> None:
        self.press("skip-practice")
        self.wait_for("ready")

    def start(self) -> None:
        self.press("begin")

    def begin_answer(self) -> None:
        """Go from the question to the recording, without waiting for its end or for think time.

        The microphone's audio may begin the recording too, so a button may be gone before the click.
        """
        step = self.wait_for_any("ask", "think", "record")
        if step == "ask":
            self._press_if_there("answer-now")
        elif step == "think":
            self._press_if_there("start-answer")
        if self.wait_for_any("think", "record") == "think":  # the question ended at that moment
            self._press_if_there("start-answer")
        self.wait_for("record")

    def _press_if_there(self, control: str) -> None:
        self.page.evaluate(
            "control => document.querySelector(`[data-testid=${control}]:not([hidden] *)`)?.click()", control
        )

    def speak(self, seconds: float) -> None:
        """Wait until this much more audio is recorded and stored on the device."""
        wanted = self.kept_bytes() + int(seconds * 32_000)
        deadline = time.monotonic() + seconds + STEP_MS / 1000
        while self.kept_bytes() < wanted:
            assert time.monotonic() < deadline, "the microphone is not being recorded"
            self.page.wait_for_timeout(100)

    def kept_bytes(self) -> int:
        return self.page.evaluate(COUNT_KEPT)

    def to_first_question(self, url: str) -> None:
        self.consent(url)
        self.check_devices()
        self.skip_practice()
        self.start()

    def answer_three_questions(
        self, url: str, speak: Callable[[int], None], then: Callable[[int], None] = lambda n: None
    ) -> None:
        """Take a whole interview. `speak(n)` runs while answer n is recorded, `then(n)` after it."""
        self.to_first_question(url)
        for n in range(3):
            self.begin_answer()
            speak(n)
            self.finish_answer()
            then(n)
        self.wait_for("finish")

    def finish_answer(self) -> None:
        """Finish the answer, and accept it if a retake is possible.

        Where a voice is heard at once, the next question is being answered before its steps could be seen.
        """
        position = self.shown("position")
        self.press("done")
        is_next = "document.querySelector('#stage [data-part=position]')?.textContent !== before"
        is_review = "document.querySelector('#room')?.dataset.step === 'review'"
        self.page.wait_for_function(f"before => {is_review} || {is_next}", arg=position, timeout=STEP_MS)
        if self.page.evaluate(f"before => {is_review} && !({is_next})", position):
            self.press("next")
            self.page.wait_for_function(f"before => {is_next}", arg=position, timeout=STEP_MS)

    def kept(self) -> dict[str, bytes]:
        """The browser's recorded audio, by recording id."""
        kept = self.page.evaluate(READ_KEPT)
        audio: dict[str, bytes] = {}
        for frame in sorted(kept["frames"], key=lambda f: (f["recording"], f["offset"])):
            pcm = audio.setdefault(frame["recording"], b"")
            assert len(pcm) == frame["offset"], "the frames overlap or leave a gap"
            audio[frame["recording"]] = pcm + base64.b64decode(frame["pcm"])
        return audio
