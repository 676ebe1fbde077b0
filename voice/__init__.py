"""The speech service: recognition, synthesis, turns and recordings.  Usable without the interviews app."""
