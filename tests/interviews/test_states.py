from interviews import states
from interviews.models import Answer, Invitation, Session


def values(enum) -> set[str]:
    return {str(member) for member in enum}


def test_statuses_match_the_tables():
    assert values(states.InvitationStatus) == set(Invitation.Status.values)
    assert values(states.SessionStatus) == set(Session.Status.values)
    assert values(states.AnswerStatus) == set(Answer.Status.values)


def transitions():
    return [value for value in vars(states).values() if isinstance(value, states.Transition)]


def test_transitions_never_lead_to_their_own_source():
    assert transitions()
    assert all(t.target not in t.sources for t in transitions())


def test_every_status_but_the_first_can_be_reached():
    targets = {t.target for t in transitions()}
    firsts = {"checking"}
    kinds = (states.InterviewStatus, states.InvitationStatus, states.SessionStatus, states.AnswerStatus)
    everything = set().union(*map(values, kinds))
    assert targets == everything - firsts
