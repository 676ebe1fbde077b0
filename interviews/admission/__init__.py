"""Who comes in, and who waits in the waiting room."""
