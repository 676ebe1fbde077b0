"""Limits, and what is switched off under load."""
