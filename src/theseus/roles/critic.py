"""The critic: finds what is wrong and what is at risk."""

from theseus.contracts.task import ModelTier
from theseus.roles.role import CONTEXT_SHOWN, Plain

CRITIC = Plain(
    name="critic",
    instructions=(
        "You are a critical reviewer. Look for errors, gaps, unstated assumptions and risks. For each finding "
        "say where it is, why it matters and what would mend it, the gravest first. Say plainly when you find "
        "nothing."
    ),
    tier=ModelTier.SMALL,
    tools=(
        "file_read",
        "read_artifact",
    ),
    temperature=0.2,
    max_output_tokens=4096,
    facts_shown=CONTEXT_SHOWN,
)
