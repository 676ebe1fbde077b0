"""Metrics, statistics and readiness of the speech service."""
