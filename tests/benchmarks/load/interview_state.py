"""The server's state of an interview; mirrors state.js."""

WANTED_IN = {
    "ask": {"pending"},
    "begin_answer": {"asked"},
    "accept_answer": {"recorded"},
}


class InterviewState:
    """State from snapshot and events. docs/candidate-socket.md describes `session` and `answers` (by id)."""

    def __init__(self) -> None:
        self.session: dict = {}
        self.answers: dict[str, dict] = {}

    def snapshot(self, message: dict) -> None:
        """Replace the whole state."""
        self.session = message["session"]
        self.answers = {answer["id"]: answer for answer in message["answers"]}

    def event(self, message: dict) -> None:
        """Apply a change. Events may arrive out of order: earlier versions are ignored."""
        if message["session"]["version"] >= self.session["version"]:
            self.session = message["session"]
        answer = message.get("answer")
        if answer and answer["version"] >= self.answers[answer["id"]]["version"]:
            self.answers[answer["id"]] = answer

    @property
    def question(self) -> dict | None:
        """The next answer to give; None after the last."""
        return self.answers.get(self.session["current_answer"] or "")

    def status(self, answer_id: str) -> str:
        return self.answers[answer_id]["status"]

    @property
    def by_recording(self) -> dict[str, dict]:
        """The answers with a recording, by the recording's id."""
        return {a["recording"]["id"]: a for a in self.answers.values() if a["recording"]}

    def is_wanted(self, command: dict) -> bool:
        """Whether a command that the server may not have received should be sent again in this state."""
        if command["type"] == "devices_checked":
            return self.session["status"] == "checking"
        if command["type"] == "skip_practice":
            return self.session["status"] in ("checking", "practising")
        return self.status(command["answer"]) in WANTED_IN[command["type"]]
