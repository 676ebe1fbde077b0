"""Choose the engine that answers: chains of engines, with retries, breakers and reports."""
