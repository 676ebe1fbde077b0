"""The platform's own HTTP addresses: the complete API, access, health and metrics."""
