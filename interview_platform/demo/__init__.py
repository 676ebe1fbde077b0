"""`make demo`: every process of the platform, with its servers, on one machine."""
