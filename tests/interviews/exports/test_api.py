from tests import factories


def read(client, session, key):
    return client.get(
        f"/api/v1/sessions/{session.pk}/export", headers={"authorization": f"Bearer {key.plain}"}
    )


def test_programs_get_the_same_document(client, clean_redis, ours, session):
    document = read(client, session, factories.ApiKeyFactory(organisation=ours)).json()
    assert (document["format_version"], document["candidate"]["name"]) == (1, "Zoë Brontë")
    assert [answer["position"] for answer in document["answers"]] == [1, 2]


def test_other_organisations_and_trials_have_none(client, clean_redis, ours, session):
    assert read(client, session, factories.ApiKeyFactory()).status_code == 404
    session.invitation.tried = session.definition
    session.invitation.save()
    assert read(client, session, factories.ApiKeyFactory(organisation=ours)).status_code == 404
