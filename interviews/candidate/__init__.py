"""The candidate's pages and WebSocket."""
