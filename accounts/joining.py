"""The page of an invited colleague: makes an account, or gives the one that is signed in a further role."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import colleagues
from accounts.models import ColleagueInvitation, User
from accounts.sign_on import pending

AUTOCOMPLETE = {"first_name": "given-name", "last_name": "family-name"}


class AccountForm(BaseUserCreationForm):
    """Name and password. The address of the invitation is the name to sign in with."""

    class Meta:
        model = User
        fields = ["first_name", "last_name"]

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.username = self.instance.email = email
        self.instance.is_staff = True  # everyone signs in at the admin; roles limit access
        for name, content in AUTOCOMPLETE.items():
            self.fields[name].required = True
            self.fields[name].widget = forms.TextInput(attrs={"autocomplete": content})


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation. Whoever has an account signs in first; others make one here."""
    now = timezone.now()
    invitation = colleagues.find(token, now=now)
    if invitation is None:
        return render(request, "accounts/join.html", {"invitation": None}, status=404)
    if request.user.is_authenticated:
        if request.method == "POST":
            return _accept(request, invitation, request.user)
        return render(request, "accounts/join.html", {"invitation": invitation})
    if _has_account(invitation.email):
        sign_in = f"{reverse('admin:login')}?{urlencode({'next': request.path})}"
        return render(request, "accounts/join.html", {"invitation": invitation, "sign_in": sign_in})
    form = AccountForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        return _accept(request, invitation, form)
    return render(request, "accounts/join.html", {"invitation": invitation, "form": form})


def _has_account(email: str) -> bool:
    return User.objects.filter(Q(email__iexact=email) | Q(username__iexact=email)).exists()


def _accept(request: HttpRequest, invitation: ColleagueInvitation, by: Any) -> HttpResponse:
    """Accept as a user, or as the one that a form makes: both or neither."""
    now = timezone.now()
    try:
        with transaction.atomic():
            colleagues.hold(invitation=invitation, now=now)  # so that a second click makes no second user
            user = by.save() if isinstance(by, AccountForm) else by
            colleagues.accept(invitation=invitation, user=user, now=now)
    except colleagues.NotOpen:  # another click was faster
        return render(request, "accounts/join.html", {"invitation": None}, status=404)
    except IntegrityError:  # another invitation of this address has made the account just now
        return redirect(request.path)
    if user is not request.user:
        return pending.go_on(request, user, going_to="")
    return redirect("admin:index")
