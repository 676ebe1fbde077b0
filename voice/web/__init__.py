"""HTTP: the REST API, OpenAI-compatible addresses, pages."""
