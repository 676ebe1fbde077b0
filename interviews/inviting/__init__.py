"""Inviting many candidates at once, from a spreadsheet."""
