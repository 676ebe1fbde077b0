import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib import admin
from django.urls import reverse

from tests import factories

ROOT = Path(__file__).resolve().parents[3]
AS_A_WORKER = """
import sys, django
sys.argv = ["manage.py", "voiceworker", "default"]
django.setup()
from django.contrib import admin
from django.urls import reverse
print(len(admin.site._registry), "openpyxl" in sys.modules)
print(reverse("admin:interviews_session_changelist"), len(admin.site._registry))
"""


def test_worker_loads_pages_only_for_their_addresses():
    command = [sys.executable, "-c", AS_A_WORKER]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=240)

    first, second = told.stdout.splitlines()
    assert first == "0 False"
    assert second == f"/admin/interviews/session/ {len(admin.site._registry)}"


@pytest.mark.django_db
def test_pages_of_apps_are_listed_where_they_are_shown(client, monkeypatch):
    listed = []
    build = admin.site._build_app_dict

    def noting(request, label=None):
        listed.append(label)
        return build(request, label)

    monkeypatch.setattr(admin.site, "_build_app_dict", noting)
    client.force_login(factories.UserFactory(is_superuser=True))

    assert client.get(reverse("admin:interviews_interview_changelist")).status_code == 200
    assert listed == []
    page = client.get(reverse("admin:app_list", args=["interviews"]))
    assert reverse("admin:interviews_interview_changelist") in page.content.decode()
    assert listed == ["interviews"]
    assert client.get("/admin/unknown/").status_code == 404
