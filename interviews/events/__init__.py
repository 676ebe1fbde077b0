"""What connected browsers are told: snapshots, and events that change them."""
