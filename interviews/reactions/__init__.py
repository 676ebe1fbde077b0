"""What answers to a signal of the speech service. Each function publishes an event or calls an action."""
