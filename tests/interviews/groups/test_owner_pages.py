"""What owners see: what is asked, and reports. Never what one person said."""

import csv
import io

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Membership
from interviews.models import GroupSurvey, ImpactReport
from tests import factories
from tests.interviews.groups.conftest import FEMALE, count

Role = Membership.Role
PAGE = reverse("impact")
ADD = reverse("admin:interviews_groupsurvey_add")

pytestmark = pytest.mark.django_db


def read(response) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode("utf-8-sig")


def table_of(client, report) -> dict[tuple[str, str, str], str]:
    text = read(client.get(reverse("impact-csv", args=[report.pk])))
    return {tuple(row[:3]): row[3] for row in csv.reader(io.StringIO(text, newline=""))}


def test_report_shows_rates_and_impact_ratios(client, member, quarter):
    count()
    member(Role.OWNER)
    shown = read(client.get(PAGE))
    assert "Keeper of bees" in shown
    table = table_of(client, ImpactReport.objects.get())
    assert table["Sex", "Female", "Candidates"] == "12"
    assert table["Sex", "Female", "Selection rate, %"] == "33.3"
    assert table["Sex", "Female", "Impact ratio"] == "0.5"
    assert table["Sex", "Male", "Impact ratio"] == "1.0"
    for (_panel, label, _figure), number in list(table.items())[1:]:
        assert label in shown
        assert f"<td>{number}</td>" in shown.replace(".0</td>", ".0</td>")


def test_both_tables_say_what_the_page_says(client, member, quarter):
    count()
    member(Role.OWNER)
    report = ImpactReport.objects.get()
    file = io.BytesIO(b"".join(client.get(reverse("impact-xlsx", args=[report.pk])).streaming_content))
    [_header, *rows] = [[cell.value for cell in row] for row in load_workbook(file).active.iter_rows()]
    table = table_of(client, report)
    assert {tuple(row[:3]): float(row[3]) for row in rows} == {
        key: float(value) for key, value in list(table.items())[1:]
    }


def test_page_without_reports_leads_to_the_questions(client, member):
    member(Role.OWNER)
    assert reverse("admin:interviews_groupsurvey_changelist") in read(client.get(PAGE))


@pytest.mark.parametrize("role", [Role.RECRUITER, Role.REVIEWER])
def test_only_owners_see_reports_and_questions(client, member, quarter, survey, role):
    count()
    member(role)
    report = ImpactReport.objects.get()
    for address in (
        *(PAGE, reverse("impact-csv", args=[report.pk]), ADD),
        *(reverse("admin:interviews_groupsurvey_changelist"),),
        reverse("admin:interviews_groupsurvey_change", args=[survey.pk]),
    ):
        assert client.get(address).status_code in (302, 403), address
    assert "Adverse impact" not in read(client.get(reverse("analytics")))


def test_owner_of_another_organisation_sees_none_of_it(client, quarter, theirs):
    count()
    client.force_login(factories.MembershipFactory(organisation=theirs, role=Role.OWNER).user)
    report = ImpactReport.objects.get()
    assert "Keeper of bees" not in read(client.get(PAGE))
    for name in ("impact-csv", "impact-xlsx"):
        assert client.get(reverse(name, args=[report.pk])).status_code == 404


def test_owner_turns_the_questions_on(client, member, ours):
    member(Role.OWNER)
    posted = client.post(ADD, {"organisation": ours.pk, "is_asked": "on", "text": ""})
    assert posted.status_code == 302
    survey = GroupSurvey.objects.get()
    assert survey.is_asked
    assert survey.asked_since is not None
    page = read(client.get(reverse("admin:interviews_groupsurvey_change", args=[survey.pk])))
    assert "What is your sex?" in page


def test_turned_on_again_it_goes_on_from_the_first_time(client, member, survey):
    member(Role.OWNER)
    address = reverse("admin:interviews_groupsurvey_change", args=[survey.pk])
    for sent in ({"text": ""}, {"text": "", "is_asked": "on"}):
        assert client.post(address, sent).status_code == 302
    before = survey.asked_since
    survey.refresh_from_db()
    assert (survey.is_asked, survey.asked_since) == (True, before)


@pytest.mark.parametrize(
    "text",
    [
        *("- under 30\n- over", "Age?", "Age?\n- under 30", "Age?\n- same\n- same", "Age?\n-\n-"),
        *(f"{'x' * 201}\n- a\n- b", "\n".join(f"{n}?\n- a\n- b" for n in range(6))),
        *("Age?\n- a\n- b\nAge?\n- a\n- b", f"sex\n- {FEMALE}\n- b"),
        "Age?\n" + "\n".join(f"- {n}" for n in range(21)),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(client, member, survey, text):
    member(Role.OWNER)
    address = reverse("admin:interviews_groupsurvey_change", args=[survey.pk])
    response = client.post(address, {"text": text, "is_asked": "on"})
    assert response.status_code == 200
    assert "errorlist" in read(response) or "errors" in read(response)
    survey.refresh_from_db()
    assert survey.text == ""


def test_questions_are_kept_tidy(client, member, survey):
    member(Role.OWNER)
    address = reverse("admin:interviews_groupsurvey_change", args=[survey.pk])
    client.post(address, {"text": "  Age?  \n-under 30\n\n-  30 or   older\r\n", "is_asked": "on"})
    survey.refresh_from_db()
    assert survey.text == "Age?\n- under 30\n- 30 or older"


def test_list_of_reports_has_pages_and_a_constant_number_of_queries(
    client,
    member,
    quarter,
    ours,
    django_assert_max_num_queries,
):
    count()
    member(Role.OWNER)
    kept = ImpactReport.objects.values("tables").get()["tables"]
    for _ in range(5):
        ImpactReport.objects.create(
            organisation=ours, first="2025-01-01", last="2025-03-31", candidates=9, undecided=0, tables=kept
        )
    with django_assert_max_num_queries(12):
        shown = read(client.get(PAGE))
    assert "1 / 2" in shown
