"""What workers run, and the processes that run it."""
