"""Speech synthesis on this machine, one file an engine."""
