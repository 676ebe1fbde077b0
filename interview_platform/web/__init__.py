"""The platform's own addresses: the API that joins all routers, access, health and metrics."""
