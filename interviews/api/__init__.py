"""The REST API of interviews."""
