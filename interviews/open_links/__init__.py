"""Open links: the pages at which people invite themselves, and the recruiters' pages of them."""
