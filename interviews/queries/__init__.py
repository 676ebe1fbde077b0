"""Reads of several tables, one statement each."""
