"""Limits, and load shedding."""
