"""Parts of Django that the platform replaces: middleware, file storage, log filters, PostgreSQL."""
