"""Interviews by the thousand, over HTTP and WebSocket as the browser holds them: `make load`."""
