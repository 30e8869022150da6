"""Plain conversation: no tools, so every task is one model call."""

from theseus.contracts.task import ModelTier
from theseus.roles.role import CONTEXT_SHOWN, Plain

CHAT = Plain(
    name="chat",
    instructions=(
        "You are a helpful assistant. Answer what was asked, directly, in the language of the question. "
        "If you do not know, say so."
    ),
    tier=ModelTier.SMALL,
    max_output_tokens=4096,
    facts_shown=CONTEXT_SHOWN,
)
