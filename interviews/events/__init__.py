"""Messages to connected browsers: snapshots, and events that change them."""
