"""Receivers of the speech service's signals. Each function publishes an event or calls an action."""
