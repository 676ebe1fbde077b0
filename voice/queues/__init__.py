"""Jobs in queues, leases on them, and calls whose answer is a Redis stream."""
