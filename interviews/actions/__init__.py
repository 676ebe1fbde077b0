"""Every write of the product: verbs with keyword-only arguments. `by=` is the actor, `now=` the time.

`by` is a user, an invitation (its candidate acts) or a short text for the platform itself.
"""
