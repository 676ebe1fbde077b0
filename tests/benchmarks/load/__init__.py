"""Thousands of interviews, over HTTP and WebSocket as the browser does them: `make load`."""
