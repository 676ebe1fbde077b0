"""The requests that callers make of the speech service, and the calls to workers that answer them."""
