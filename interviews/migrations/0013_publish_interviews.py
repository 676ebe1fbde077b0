"""What was configured before there were versions is published as version 1, and sessions get it."""

from django.db import migrations

FIELDS = (
    "title, job_title, language, voice, stand_in_voice, practice_question, patience, is_barge_in_allowed, "
    "consent_text, retention_days"
)

DRAFTS = """
UPDATE interviews_interview w SET status = 'draft'
WHERE published_id IS NULL AND NOT EXISTS (SELECT FROM interviews_question q WHERE q.interview_id = w.id)
  AND NOT EXISTS (SELECT FROM interviews_invitation i WHERE i.interview_id = w.id)
"""

VERSIONS = f"""
INSERT INTO interviews_interviewversion (interview_id, number, published_at, questions, {FIELDS})
SELECT w.id, 1, now(), coalesce((
    SELECT jsonb_agg(jsonb_build_object(
      'id', q.id, 'text', q.text, 'think_seconds', q.think_seconds,
      'answer_limit_seconds', q.answer_limit_seconds, 'retakes', q.retakes
    ) ORDER BY q.position, q.id)
    FROM interviews_question q WHERE q.interview_id = w.id
  ), '[]'), {FIELDS}
FROM interviews_interview w
WHERE w.status = 'published' AND w.published_id IS NULL
"""

PUBLISHED = """
UPDATE interviews_interview w SET published_id = v.id
FROM interviews_interviewversion v WHERE v.interview_id = w.id AND v.number = 1 AND w.published_id IS NULL
"""

SESSIONS = """
UPDATE interviews_session s SET definition_id = w.published_id
FROM interviews_invitation i JOIN interviews_interview w ON w.id = i.interview_id
WHERE i.id = s.invitation_id AND s.definition_id IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("interviews", "0012_interview_versions")]

    operations = [
        migrations.RunSQL([DRAFTS, VERSIONS, PUBLISHED, SESSIONS], migrations.RunSQL.noop),
    ]
