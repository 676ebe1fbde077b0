"""Which engine answers: chains of engines, with retries, breakers and reports."""
