"""Redis, SQL, Channels and threads, for every other room."""
