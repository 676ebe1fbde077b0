"""The web process: Daphne on uvloop, its WebSocket frames, flow control and draining."""
