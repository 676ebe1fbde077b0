"""Every write of the product: verbs with keyword-only arguments, `by=` who does it and `now=` when.

`by` is a user, an invitation (the candidate who holds it) or a short text for the platform itself.
"""
