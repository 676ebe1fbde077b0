"""Reports about self-declared groups: counted once, of whole quarters, and nothing can be watched."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from interviews import jobs, tokens
from interviews.actions import erasure, groups
from interviews.models import Decision, GroupDeclaration, ImpactReport, Session
from interviews.queries.impact import Table, Tally
from interviews.texts.groups import NEITHER, RACE, SEX
from tests import factories
from tests.interviews.groups.conftest import ASIAN, FEMALE, MALE, SETTLED, count

pytestmark = pytest.mark.django_db


def tables() -> list[Table]:
    return [Table.read(kept) for report in ImpactReport.objects.all() for kept in report.tables]


@pytest.mark.parametrize(
    ("today", "last"),
    [
        *(("2026-04-29", "2025-12-31"), ("2026-04-30", "2026-03-31"), ("2026-05-01", "2026-03-31")),
        *(("2026-01-30", "2025-12-31"), ("2026-01-29", "2025-09-30"), ("2026-12-31", "2026-09-30")),
    ],
)
def test_quarter_is_counted_thirty_days_after_its_end(today, last):
    assert groups.last_settled_quarter(date.fromisoformat(today)) == date.fromisoformat(last)


def test_report_counts_each_group(quarter):
    assert count() == 1
    report = ImpactReport.objects.get()
    assert (report.candidates, report.undecided) == (24, 0)
    assert (report.first, report.last) == (date(2026, 2, 10), date(2026, 3, 31))
    assert tables() == [Table((SEX,), {(FEMALE,): Tally(12, 4), (MALE,): Tally(12, 8)}, 0)]


def test_what_was_counted_is_deleted_and_is_not_counted_again(quarter):
    count()
    assert not GroupDeclaration.objects.exists()
    assert count() == count(SETTLED + timedelta(days=300)) == 0


def test_report_stays_as_it_is_whatever_happens_to_its_candidates(quarter):
    """Otherwise a colleague would change one decision, or erase one candidate, and see which row changes."""
    count()
    before = ImpactReport.objects.values().get()
    for session in quarter[:3]:
        Decision.objects.filter(session=session).update(outcome="hold")
    erasure.erase_candidate(invitation=quarter[5].invitation, by="test", now=timezone.now())
    count(SETTLED + timedelta(days=1))
    assert ImpactReport.objects.values().get() == before


def test_quarter_that_has_not_settled_is_not_counted(quarter):
    assert count(datetime(2026, 4, 29, tzinfo=UTC)) == 0


def test_few_wait_for_the_next_quarter(quarter, make_finished, monkeypatch):
    monkeypatch.setattr(groups, "LEAST_DECLARED", 30)
    assert count() == 0
    assert GroupDeclaration.objects.count() == 24
    for n in range(6):
        make_finished(
            FEMALE, outcome="advance" if n < 3 else "", finished_at=datetime(2026, 5, 5, tzinfo=UTC)
        )
    assert count(datetime(2026, 8, 1, tzinfo=UTC)) == 1
    assert tables() == [Table((SEX,), {(FEMALE,): Tally(18, 7), (MALE,): Tally(12, 8)}, 0)]


def test_interview_with_enough_candidates_has_a_report_of_its_own_and_others_share_one(
    quarter, make_finished, ours
):
    small = [factories.InterviewFactory(organisation=ours, questions=1) for _ in range(2)]
    for interview in small:
        for n in range(12):
            make_finished(FEMALE, outcome="advance" if n < 6 else "reject", of=interview)
    assert count() == 2
    counted = {frozenset(report.interviews.all()): report.candidates for report in ImpactReport.objects.all()}
    assert counted == {frozenset(small): 24, frozenset({quarter[0].interview}): 24}


def test_undecided_count_as_not_selected_and_are_told(quarter, make_finished):
    for n in range(3):
        make_finished(FEMALE, outcome="hold" if n else "")
    count()
    assert ImpactReport.objects.get().undecided == 1
    assert tables()[0].rows[FEMALE,] == Tally(15, 4)


def test_who_said_neither_is_in_no_row(quarter, make_finished):
    for _ in range(11):
        make_finished(NEITHER, ASIAN, outcome="reject")
    count()
    sex = next(table for table in tables() if table.questions == (SEX,))
    assert set(sex.rows) == {(FEMALE,), (MALE,)}
    assert sex.others == 11
    assert any(table.questions == (RACE,) and (ASIAN,) in table.rows for table in tables())


def test_trials_and_other_organisations_are_not_counted(quarter, make_finished, interview):
    trial = make_finished(FEMALE, outcome="advance")
    trial.invitation.tried = interview.published
    trial.invitation.save()
    make_finished(FEMALE, outcome="advance", of=factories.InterviewFactory(questions=1))
    count()
    assert tables()[0].rows[FEMALE,] == Tally(12, 4)
    assert GroupDeclaration.objects.count() == 2


def test_candidates_of_before_it_was_asked_are_not_counted(quarter, survey):
    survey.asked_since = date(2026, 2, 11)
    survey.save()
    assert count() == 0


def test_scores_are_those_submitted_last_as_places_between_the_levels(
    ours, survey, few_suffice, make_finished
):
    interview = factories.InterviewFactory(organisation=ours, questions=1, published=False)
    criterion = factories.CriterionFactory(interview=interview)
    factories.publish(interview)
    reviewer = factories.UserFactory()
    for n in range(24):
        sex, advances = (FEMALE, n < 4) if n < 12 else (MALE, n < 20)
        session = make_finished(sex, outcome="advance" if advances else "reject", of=interview)
        card = session.scorecards.create(reviewer=reviewer)
        for level in (1, 4 if advances else 2):
            card.submissions.create(scores={str(criterion.pk): [level, ""]}, is_blind=True)
    count()
    assert tables()[0].rows == {(FEMALE,): Tally(12, 4, 12, 4), (MALE,): Tally(12, 8, 12, 8)}


def test_unreadable_declaration_stops_the_count(quarter, settings):
    settings.TOKEN_KEYS = ["another key, with which nothing was written yet"]
    with pytest.raises(tokens.UnreadableToken):
        jobs.count_groups()
    assert not ImpactReport.objects.exists()
    assert GroupDeclaration.objects.count() == 24


def test_declarations_are_written_anew_with_the_newest_key(make_finished, settings):
    make_finished(FEMALE, ASIAN)
    settings.TOKEN_KEYS = ["a new key, which is the first of the keys", *settings.TOKEN_KEYS]
    assert groups.rotate_keys() == {"written": 1}
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert GroupDeclaration.objects.get().groups == {SEX: FEMALE, RACE: ASIAN}


@pytest.mark.parametrize("is_erased", [False, True])
def test_what_changes_while_keys_are_rotated_stays_so(make_finished, monkeypatch, is_erased):
    for _ in range(2):
        make_finished(FEMALE)
    save = GroupDeclaration.save

    def save_and_change_the_other(row, **options):
        monkeypatch.setattr(GroupDeclaration, "save", save)
        save(row, **options)
        other = GroupDeclaration.objects.exclude(pk=row.pk).get()
        other.groups = {SEX: MALE}
        other.delete() if is_erased else other.save()

    monkeypatch.setattr(GroupDeclaration, "save", save_and_change_the_other)
    assert groups.rotate_keys() == {"written": 1 if is_erased else 2}
    said = {row.groups[SEX] for row in GroupDeclaration.objects.all()}
    assert said == ({FEMALE} if is_erased else {FEMALE, MALE})


def test_what_is_kept_tells_neither_by_its_length_nor_by_a_time(make_finished):
    for named in ((FEMALE,), (MALE, "eeo1.pacific")):
        make_finished(*named)
    silent = GroupDeclaration(invitation=make_finished().invitation)
    silent.groups = {}
    silent.save()
    kept = [bytes(row.groups_encrypted) for row in GroupDeclaration.objects.all()]
    assert len({len(each) for each in kept}) == 1
    assert FEMALE.encode() not in kept[0]
    assert len({each[:11] for each in kept}) == 1, "version and time of Fernet"


def test_erasure_takes_the_declaration_with_it(make_finished):
    session = make_finished(FEMALE)
    make_finished(MALE)
    erasure.erase_candidate(invitation=session.invitation, by="test", now=timezone.now())
    assert GroupDeclaration.objects.get().groups == {SEX: MALE}


def test_number_of_queries_does_not_grow_with_candidates(
    quarter, make_finished, django_assert_max_num_queries
):
    for _ in range(20):
        make_finished(FEMALE, ASIAN, outcome="advance")
    with django_assert_max_num_queries(18):
        assert count() == 1
    assert Session.objects.count() == 44
