"""The router: how hard a task is, and which mode fits it."""

from theseus.contracts.assessment import Assessment
from theseus.contracts.task import ModelTier
from theseus.roles.role import Role

ROUTER = Role(
    name="router",
    instructions=(
        "You assess a task before it is worked on. You do not answer it. "
        "complexity: 0.0 to 0.3 for what one assistant answers in one go; 0.3 to 0.7 for what falls into a few parts; "
        "above 0.7 for what needs several kinds of expertise or a long plan. "
        "needs_tools: true when web pages, files or exact arithmetic are needed. "
        "suggested_mode: simple, standard, complex, or supervisor when several roles must talk to each other while they work."
    ),
    tier=ModelTier.SMALL,
    answer=Assessment,
    temperature=0.0,
    max_output_tokens=300,
    facts_shown={"follows_a_conversation": "The task follows an earlier conversation", "attachments": "Attachments"},
)
