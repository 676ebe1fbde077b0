"""Texts and languages of the product."""
