"""Speech recognition on this machine, one file an engine."""
