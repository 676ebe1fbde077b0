"""The service's WebSockets, one consumer a file. docs/speech.md lists their messages."""
