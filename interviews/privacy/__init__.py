"""The candidate's own page about personal data."""
