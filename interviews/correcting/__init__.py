"""Door: candidates read what was heard of them after the interview, and say where it is wrong."""
