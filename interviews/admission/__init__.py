"""Admission of candidates and the waiting room."""
