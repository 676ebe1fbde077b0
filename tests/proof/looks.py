"""What every page must be, at each width and in both colour schemes: readable by all, no wider than the
screen, and without an error in the browser.

    looker = Looker(page)
    looker.look("interviews", "http://…/admin/interviews/interview/")
    assert not looker.problems

`PAGES_DIR` names a directory for the pictures, for people to look at.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
WIDTHS = {360: 740, 1280: 860}
"""Heights by widths, in pixels: a phone and a laptop."""
TALLEST = 4000
"""Pixels of a page that a picture shows."""
PATIENCE_MS = 60_000


class Variant(NamedTuple):
    width: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"


EVERY_VARIANT = tuple(Variant(width, scheme) for width in WIDTHS for scheme in ("light", "dark"))

IS_STILL = """() => document.fonts.status === "loaded" && document.readyState === "complete"
  && document.getAnimations().every(({ playState }) => playState !== "running")"""
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
USE_SCHEME = "(scheme) => window.Alpine?.$data(document.documentElement).switchTheme?.(scheme)"
"""The admin's theme looks at the colour scheme only once."""
CUT_OFF = """() => {
  const isCut = (element) => {
    const { width, height, left, right } = element.getBoundingClientRect();
    const isOutside = width > 1 && height > 1 && (right > innerWidth + 1 || (left < -1 && right > 0));
    return isOutside && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const scrolls = (element) => {
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
      const { overflowX, textOverflow } = getComputedStyle(box);
      if (["auto", "scroll"].includes(overflowX) || textOverflow === "ellipsis") return true;
    }
    return false;
  };
  const all = [...document.body.querySelectorAll("*")];
  const found = all.filter((element) => isCut(element) && !scrolls(element));
  const outer = found.filter((element) => !found.includes(element.parentElement));
  return outer.slice(0, 3).map((element) => element.cloneNode(false).outerHTML.slice(0, 160));
}"""
"""What reaches beyond the screen, and does not lie in a box of its own that can be scrolled."""
AXE = "(options) => axe.run(options).then(({ violations }) => violations)"


class Looker:
    """Looks at pages, and keeps what is wrong in `problems`: one line each."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        self._name, self._folder = "", Path()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self._note(f"script error: {error}"))
        page.on("console", self._read_console)
        page.on("requestfailed", lambda request: self._note(f"failed: {request.url}: {request.failure}"))

    def keep_in(self, folder: str) -> None:
        """Name the folder for the pictures that come."""
        self._folder = Path(folder)

    def look(self, name: str, url: str, *, variants: tuple[Variant, ...] = EVERY_VARIANT) -> None:
        """Open a page, and look at it."""
        self._name = name
        self.page.goto(url)
        self.look_here(name, variants=variants)

    def look_here(self, name: str, *, variants: tuple[Variant, ...] = EVERY_VARIANT) -> None:
        """Look at the page that is open."""
        self._name, said = name, set()
        self.page.evaluate(AXE_SCRIPT)
        for variant in variants:
            self._become(variant)
            found = self._found()
            for each in sorted(found - said):
                self._note(f"{variant}: {each}")
            said |= found
            if pictures := os.environ.get("PAGES_DIR"):
                self._take(Path(pictures) / self._folder, variant)

    def _become(self, variant: Variant) -> None:
        self.page.set_viewport_size({"width": variant.width, "height": WIDTHS[variant.width]})
        self.page.emulate_media(color_scheme=variant.scheme, reduced_motion="reduce")
        self.page.evaluate(USE_SCHEME, variant.scheme)
        self.page.evaluate(NEXT_FRAME)
        self.page.wait_for_function(IS_STILL)

    def _found(self) -> set[str]:
        """Return what is wrong with the page as it is now."""
        width, most = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        found = {f"{width} px wide"} if width > most else set()
        found |= {f"cut off: {html}" for html in self.page.evaluate(CUT_OFF)}
        for rule in self.page.evaluate(AXE, WCAG):
            nodes = rule["nodes"]
            found.add(f"{rule['id']} ({len(nodes)}): {nodes[0]['html'][:200]}")
        return found

    def _take(self, folder: Path, variant: Variant) -> None:
        """Write a picture of the page, from its top."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{re.sub(r'[^a-z0-9]+', '-', self._name.lower()).strip('-')}-{variant}.png"
        tall = self.page.evaluate("document.documentElement.scrollHeight")
        height = min(max(tall, WIDTHS[variant.width]), TALLEST)
        clip = {"x": 0, "y": 0, "width": variant.width, "height": height}
        self.page.screenshot(path=path, full_page=True, clip=clip, animations="disabled")

    def _read_console(self, said) -> None:
        """Note errors; that of a page which says 404 by itself is none."""
        is_of_page = said.location.get("url", "") == self.page.url and "status of 4" in said.text
        if said.type == "error" and not is_of_page:
            self._note(f"console: {said.text} ({said.location.get('url')})")

    def _note(self, problem: str) -> None:
        self.problems.append(f"{self._name}: {problem}")
