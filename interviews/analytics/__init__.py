"""Figures about the candidates of an organisation."""
