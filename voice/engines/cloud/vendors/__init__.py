"""One file for each vendor's API."""
