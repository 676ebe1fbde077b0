"""What is told of signing in, besides Django's `user_logged_in`, `user_login_failed` and `user_logged_out`.

Second factors are told by django-allauth (`allauth.mfa.signals`): `authenticator_added`, `_removed`,
`_reset` and `_used`, and `authentication_failed`.
"""

from django.dispatch import Signal

session_ended = Signal()
"""Somebody ended a session: `session` (a BrowserSession), `by` (a User)."""

identity_confirmed = Signal()
"""A signed-in user proved it again: `request`, `user`, `method` ("password", "code" or "passkey")."""

roles_changed = Signal()
"""The identity provider's claims changed roles: `user`, `before` and `after` (role by organisation id)."""
