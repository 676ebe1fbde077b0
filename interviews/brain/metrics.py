"""What is counted of the language model, besides what is counted of every engine (`voice.metrics`)."""

from prometheus_client import Counter

TOKENS = Counter(
    "interviews_model_tokens", "Tokens of the language model; direction: input or output.", ["direction"]
)
COST = Counter("interviews_model_cost", "What its tokens cost, by the prices in the settings.")
DRAFTS = Counter(
    "interviews_draft_evaluations", "Draft evaluations; outcome: made, failed or unwanted.", ["outcome"]
)
SUGGESTIONS = Counter(
    "interviews_suggested_levels", "Criteria of draft evaluations; outcome: suggested or none.", ["outcome"]
)
FOLLOW_UPS = Counter(
    "interviews_follow_ups",
    "Follow-up questions that were looked for; outcome: asked, late, refused, failed or none.",
    ["outcome"],
)
SCRIPTED_FOLLOW_UPS = Counter(
    "interviews_scripted_follow_ups", "Follow-up questions that were asked as the recruiter wrote them."
)
