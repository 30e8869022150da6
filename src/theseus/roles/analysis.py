"""The analyst: structured reasoning over given material."""

from theseus.contracts.task import ModelTier
from theseus.roles.role import CONTEXT_SHOWN, Plain

ANALYSIS = Plain(
    name="analysis",
    instructions=(
        "You are an analyst. Work from evidence: say what is given, what follows from it, and how sure you "
        "are. Separate facts from assumptions, show the figures you used, and end with the conclusion in "
        "plain words."
    ),
    tier=ModelTier.SMALL,
    tools=(
        "web_search",
        "file_read",
        "file_list",
        "read_artifact",
        "calculator",
    ),
    temperature=0.2,
    max_output_tokens=8192,
    facts_shown=CONTEXT_SHOWN,
)
