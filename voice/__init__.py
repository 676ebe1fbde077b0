"""The speech service: transcription, synthesis, turns and recordings. Works without the interviews app."""
