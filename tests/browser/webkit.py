"""WebKit in the tests: WebKitGTK's browser, driven over W3C WebDriver, as far as `Room` needs it."""

import base64
import contextlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interview_platform.demo.embedded import free_port
from tests.browser.machine import program, running
from tests.faults.waiting import wait_for

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for a reference
MINI_BROWSERS = ("/usr/lib/*/webkit2gtk-4.1/MiniBrowser", "/usr/lib/*/webkit2gtk-4.0/MiniBrowser")
VISIBLE = """
const [selector] = arguments;
const isShown = (element) => element.getClientRects().length > 0;
return [...document.querySelectorAll(selector)].find(isShown) ?? null;
"""


class WebDriverError(Exception):
    """WebKit refused a command."""


class WebKitPage:
    """A page; its methods are those of Playwright's `Page`. Times are in ms."""

    def __init__(self, address: str, capabilities: dict[str, Any]) -> None:
        self._address = address
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._session = f"/session/{made['sessionId']}"
        self._post("timeouts", {"script": 120_000, "pageLoad": 120_000})

    def goto(self, url: str) -> None:
        self._post("url", {"url": url})

    def reload(self) -> None:
        self._post("refresh", {})

    def evaluate(self, function: str, arg: Any = None) -> Any:
        """Call a function of the page; a promise is awaited."""
        script = f"""
          const done = arguments[1];
          Promise.resolve(({function})(arguments[0])).then(
            (value) => done({{ value }}), (error) => done({{ error: String(error) }}));
        """
        answer = self._post("execute/async", {"script": script, "args": [arg]})
        if "error" in answer:
            raise WebDriverError(answer["error"])
        return answer.get("value")

    def wait_for_function(self, function: str, arg: Any = None, timeout: float = 30_000) -> None:
        deadline = time.monotonic() + timeout / 1000
        while not self._holds(function, arg):
            assert time.monotonic() < deadline, f"in vain: {function}"
            time.sleep(0.1)

    def _holds(self, function: str, arg: Any) -> bool:
        try:
            return bool(self.evaluate(function, arg))
        except WebDriverError:
            return False  # between two pages

    def click(self, selector: str, timeout: float = 30_000) -> None:
        """Click the first visible element, as a person does."""
        deadline = time.monotonic() + timeout / 1000
        while True:
            with contextlib.suppress(WebDriverError):  # it moved, or was replaced
                selected = selector.replace(":visible", "")  # Playwright's own
                found = self._post("execute/sync", {"script": VISIBLE, "args": [selected]})
                if found:
                    self._post(f"element/{found[ELEMENT]}/click", {})
                    return
            assert time.monotonic() < deadline, f"nothing to click: {selector}"
            time.sleep(0.1)

    def screenshot(self, path: str) -> None:
        Path(path).write_bytes(base64.b64decode(self._ask("GET", f"{self._session}/screenshot")))

    def wait_for_timeout(self, ms: float) -> None:
        time.sleep(ms / 1000)

    def close(self) -> None:
        self._ask("DELETE", self._session)

    def _post(self, command: str, body: dict[str, Any]) -> Any:
        return self._ask("POST", f"{self._session}/{command}", body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as refused:
            raise WebDriverError(json.load(refused)["value"].get("message", "")) from refused


@contextlib.contextmanager
def webkit_page(
    directory: Path, *, env: dict[str, str], has_mock_devices: bool = False
) -> Iterator[WebKitPage]:
    """A page in a fresh browser. env: of its screen and its sound."""
    driver, session_bus = program("WebKitWebDriver", "webkit2gtk-driver"), program("dbus-run-session", "dbus")
    binary = _mini_browser()
    port = free_port()
    command = [session_bus, "--", driver, f"--port={port}"]
    arguments = ["--automation", *(["--enable-mock-capture-devices=true"] if has_mock_devices else [])]
    own = {"HOME": str(directory), "XDG_CACHE_HOME": str(directory / "cache"), "NO_AT_BRIDGE": "1"}
    address = f"http://127.0.0.1:{port}"
    with running(command, log=directory / "webkit.log", env=os.environ | own | env):
        wait_for(lambda: _answers(address), "WebKit's driver")
        page = WebKitPage(address, {"webkitgtk:browserOptions": {"binary": binary, "args": arguments}})
        try:
            yield page
        finally:
            page.close()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/status", timeout=5):
            return True
    except OSError:
        return False


def _mini_browser() -> str:
    found = [path for pattern in MINI_BROWSERS for path in Path("/").glob(pattern[1:])]
    if not found:
        pytest.skip("no WebKit on this machine: `apt-get install webkit2gtk-driver` lets this test run")
    return str(found[0])
