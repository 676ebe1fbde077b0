"""One file for each engine; each model library is imported inside its own file, and only when loaded."""
