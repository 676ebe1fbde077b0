"""Adapters to models and vendors, one file an engine; a file imports its library only when it loads."""
