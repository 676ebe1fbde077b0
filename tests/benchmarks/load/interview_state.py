"""What the server has said of an interview; mirrors state.js."""

WANTED_IN = {
    "ask": {"pending"},
    "begin_answer": {"asked"},
    "accept_answer": {"recorded"},
}


class InterviewState:
    """Snapshot and events. `session` and `answers` (by id) are as in docs/candidate-socket.md."""

    def __init__(self) -> None:
        self.session: dict = {}
        self.answers: dict[str, dict] = {}

    def snapshot(self, message: dict) -> None:
        """The whole state."""
        self.session = message["session"]
        self.answers = {answer["id"]: answer for answer in message["answers"]}

    def event(self, message: dict) -> None:
        """A change. Events may overtake each other: an earlier version changes nothing."""
        if message["session"]["version"] >= self.session["version"]:
            self.session = message["session"]
        answer = message.get("answer")
        if answer and answer["version"] >= self.answers[answer["id"]]["version"]:
            self.answers[answer["id"]] = answer

    @property
    def question(self) -> dict | None:
        """The answer to give next; None if there is none left."""
        return self.answers.get(self.session["current_answer"] or "")

    def status(self, answer_id: str) -> str:
        return self.answers[answer_id]["status"]

    @property
    def by_recording(self) -> dict[str, dict]:
        """The answers that have a recording, by its id."""
        return {a["recording"]["id"]: a for a in self.answers.values() if a["recording"]}

    def is_wanted(self, command: dict) -> bool:
        """Whether a command that the server may not have received is still to be sent in this state."""
        if command["type"] == "devices_checked":
            return self.session["status"] == "checking"
        if command["type"] == "skip_practice":
            return self.session["status"] in ("checking", "practising")
        return self.status(command["answer"]) in WANTED_IN[command["type"]]
