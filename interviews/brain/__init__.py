"""The language model: how it is asked, and what of its answers may be used. No tables."""
