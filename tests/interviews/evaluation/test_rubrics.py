"""Rubrics are part of what is written, published, compared and copied."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership
from interviews.actions import rubrics, versions
from interviews.actions.errors import BadValue
from interviews.models import Criterion, Interview
from interviews.models.rubric import RubricCriterion
from interviews.queries.versions import differences
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]


def criterion(**changed):
    fields = {"id": 1, "name": "Candour", "meaning": "", "levels": ["no", "yes"], "questions": []}
    return RubricCriterion(**(fields | changed))


@pytest.mark.parametrize(
    ("criteria", "reason"),
    [
        ([criterion(levels=[])], "“Candour” needs 2 to 5 levels"),
        ([criterion(levels=["one"])], "needs 2 to 5 levels"),
        ([criterion(levels=["x"] * 6)], "needs 2 to 5 levels"),
        ([criterion(levels=["no", " ", "yes"])], "Level 2 of the criterion “Candour” has no sentence"),
        ([criterion(name=" ")], "has no name"),
        ([criterion(), criterion(id=2, name="candour ")], "the same name"),
    ],
    ids=["no levels", "one level", "six levels", "a gap", "no name", "same names"],
)
def test_rubric_that_nobody_could_score_by_has_a_problem(criteria, reason):
    [found] = rubrics.problems(criteria)
    assert reason in found


def test_good_rubric_and_no_rubric_have_no_problem():
    assert rubrics.problems([criterion(), criterion(id=2, name="Craft")]) == []
    assert rubrics.problems([]) == []


def test_interview_with_a_bad_rubric_is_not_published(interview):
    Criterion.objects.filter(name="Craft").update(levels=[])
    with pytest.raises(BadValue, match="“Craft” needs"):
        versions.publish(interview=interview, by="test", now=timezone.now())


def test_version_keeps_the_rubric_as_it_was(interview):
    version = interview.published
    Criterion.objects.all().delete()
    version.refresh_from_db()
    assert [each.name for each in version.criteria] == ["Candour", "Craft"]
    assert version.criteria[0].anchors[0] == (1, "names nothing")
    assert versions.has_changes(Interview.objects.get())


def test_version_of_before_has_no_rubric():
    assert factories.InterviewFactory(questions=1).published.criteria == []


def test_differences_name_what_changed_in_the_rubric(interview):
    before = versions.written(interview)
    candour, craft = interview.criteria.all()
    candour.levels = [*candour.levels[:3], "weighs them and says what is missing"]
    candour.position = 900
    candour.save()
    candour.questions.add(interview.questions.last())
    craft.name = "Workmanship"
    craft.save()
    factories.CriterionFactory(interview=interview, name="Care", position=901, levels=["no", "yes"])

    found = {
        each.label: (each.before, each.after) for each in differences(before, versions.written(interview))
    }

    assert found["Candour: level 4"] == ("weighs reasons", "weighs them and says what is missing")
    assert found["Candour: questions about it"] == ("all", "2")
    assert found["Workmanship: criterion"] == ("Craft", "Workmanship")
    assert found["Care: level 2"] == ("", "yes")
    assert found["Order of the criteria"] == ("Candour, Workmanship", "Workmanship, Candour")


def test_criterion_that_is_taken_away_is_a_difference(interview):
    before = versions.written(interview)
    interview.criteria.get(name="Craft").delete()
    labels = {each.label for each in differences(before, versions.written(interview))}
    assert "Craft: level 1" in labels
    assert not any(label.startswith("Candour") for label in labels)


def test_copy_has_a_rubric_about_its_own_questions(interview):
    interview.criteria.first().questions.add(interview.questions.last())

    copy = versions.duplicate(interview=interview, by="test", now=timezone.now())

    assert [each.name for each in copy.criteria.all()] == ["Candour", "Craft"]
    assert copy.criteria.first().questions.get() == copy.questions.last()
    assert interview.criteria.count() == 2


def form(interview, *criteria):
    """What the page of an interview sends."""
    questions = list(interview.questions.all())
    data = {
        **{
            name: getattr(interview, name) or ""
            for name in ("title", "job_title", "language", "consent_text")
        },
        "patience": "normal",
        "voice": "",
        "practice_question": "",
        "questions-TOTAL_FORMS": len(questions),
        "questions-INITIAL_FORMS": len(questions),
        "criteria-TOTAL_FORMS": len(criteria),
        "criteria-INITIAL_FORMS": 0,
    }
    for n, question in enumerate(questions):
        fields = ("id", "text", "position", "think_seconds", "answer_limit_seconds", "retakes")
        data |= {f"questions-{n}-{name}": getattr(question, name) for name in fields}
        data[f"questions-{n}-interview"] = interview.pk
    for n, (name, levels, about) in enumerate(criteria):
        data |= {f"criteria-{n}-name": name, f"criteria-{n}-interview": interview.pk}
        data |= {f"criteria-{n}-levels_{level}": text for level, text in enumerate(levels)}
        data[f"criteria-{n}-questions"] = [question.pk for question in about]
    return data


@pytest.fixture
def plain(ours):
    return factories.InterviewFactory(organisation=ours, questions=2)


def address(interview):
    return reverse("admin:interviews_interview_change", args=[interview.pk])


def test_recruiter_writes_a_rubric_on_the_interviews_page(client, member, plain):
    member(Membership.Role.RECRUITER)
    last = plain.questions.last()

    sent = form(plain, ("Candour", ["no", "half", "yes", "", ""], [last]), ("Craft", ["bad", "good"], []))
    response = client.post(address(plain), sent)

    assert response.status_code == 302, response.context["errors"]
    first, second = plain.criteria.all()
    assert (first.name, first.levels, first.position) == ("Candour", ["no", "half", "yes"], 1)
    assert first.questions.get() == last
    assert (second.levels, second.position) == (["bad", "good"], 2)
    page = client.get(address(plain)).content.decode()
    assert "What is written here is newer" in page
    assert 'value="half"' in page


def test_criterion_is_not_about_questions_of_others(client, member, plain):
    member(Membership.Role.RECRUITER)
    foreign = factories.QuestionFactory()
    response = client.post(address(plain), form(plain, ("Candour", ["no", "yes"], [foreign])))
    assert response.status_code == 200
    assert not Criterion.objects.exists()
