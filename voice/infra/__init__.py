"""Redis, SQL, Channels and threads, for all other packages."""
