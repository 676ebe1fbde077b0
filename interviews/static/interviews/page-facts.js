// What the page notices while questions are asked, where the interview wants it and the candidate was told so. The
// server says when it happened and at which question, and notes nothing of an interview that does not want it.

export class PageFacts {
  #isOn = false;
  #isLeft = false; // as the server knows; the interview may end meanwhile
  #isEnding = false; // being closed or loaded again, which is not leaving it
  #hasSecondScreen = false; // told already

  /** @param {Room} room @param {Document} page @param {Window} view */
  constructor(room, page, view) {
    this.room = room;
    this.page = page;
    this.view = view;
    view.addEventListener("pagehide", () => (this.#isEnding = true));
    view.addEventListener("pageshow", () => (this.#isEnding = false));
    page.addEventListener("visibilitychange", () => (this.#isOn || this.#isLeft) && this.#tellWhetherSeen());
    page.addEventListener("paste", (event) => this.#pasted(event));
    view.screen?.addEventListener?.("change", () => this.#lookForScreens()); // Chromium's only, as isExtended is
  }

  /**
   * The server's state has changed.
   * @param {{isWhole: boolean}} options  it came with a new connection: what was told on the one before may be lost
   */
  follow({ isWhole }) {
    const { session } = this.room.state;
    const wasOn = this.#isOn;
    this.#isOn = session.has_page_facts && session.status === "under_way";
    if (this.#isOn ? isWhole || !wasOn : isWhole && this.#isLeft) {
      this.#tellWhetherSeen();
      this.#lookForScreens();
    }
  }

  #tellWhetherSeen() {
    const isAway = this.page.hidden;
    if (isAway && !this.#isEnding) this.#isLeft = this.#send({ type: "page_left" });
    if (!isAway) this.#isLeft = !this.#send({ type: "page_back" });
  }

  /** Browsers tell it without a question; those that would ask first are not asked. */
  #lookForScreens() {
    if (!this.#isOn || this.#hasSecondScreen || !this.view.screen?.isExtended) return;
    this.#hasSecondScreen = this.#send({ type: "second_screen" });
  }

  /** How much was pasted into an answer, not what. */
  #pasted({ target, clipboardData }) {
    const characters = clipboardData?.getData("text/plain").length ?? 0;
    if (this.#isOn && characters && target.dataset?.part === "text") {
      this.#send({ type: "pasted", characters: Math.min(characters, target.maxLength) });
    }
  }

  #send(message) {
    return this.room.connection.send(message);
  }
}
