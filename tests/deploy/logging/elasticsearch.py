"""A stand-in for Elasticsearch: takes `create` of `_bulk` for a data stream, can go away and come back."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATA_STREAM = "logs-interview_platform-default"


@dataclass
class Elasticsearch:
    """What it holds, by id. `refuse` says of a document with which status it is not taken now; 0: it is."""

    port: int = 0
    documents: dict[str, dict] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)

    def refuse(self, document: dict) -> int:
        return 0

    def create(self, action: dict, document: dict) -> dict:
        """Carry out one line of a bulk request. As the real one does it, an id is created once."""
        assert list(action) == ["create"], "a data stream takes nothing else"
        assert action["create"]["_index"] == DATA_STREAM
        key = action["create"]["_id"]
        status = self.refuse(document) or (409 if key in self.documents else 201)
        if status == 201:
            self.documents[key] = document
        self.answers.append(status)
        error = {} if status == 201 else {"error": {"type": "refused", "reason": "by the test"}}
        return {"create": {"_index": DATA_STREAM, "_id": key, "status": status, **error}}

    def bulk(self, body: str) -> dict:
        lines = [json.loads(line) for line in body.splitlines()]
        items = [self.create(*pair) for pair in zip(lines[::2], lines[1::2], strict=True)]
        return {"errors": any("error" in item["create"] for item in items), "items": items}

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Be there until the end of the block; each time on the same port."""
        handler = type("Handler", (_Handler,), {"elasticsearch": self})
        with ThreadingHTTPServer(("127.0.0.1", self.port), handler) as server:
            self.port = server.server_port
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    elasticsearch: Elasticsearch

    def do_GET(self) -> None:
        self._answer({"version": {"number": "8.15.0"}})

    def do_POST(self) -> None:
        self._answer(self.elasticsearch.bulk(self.rfile.read(int(self.headers["Content-Length"])).decode()))

    def log_message(self, *args: object) -> None: ...

    def _answer(self, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
