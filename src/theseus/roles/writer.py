"""The writer: clear prose from what it is given."""

from theseus.contracts.task import ModelTier
from theseus.roles.role import CONTEXT_SHOWN, Plain

WRITER = Plain(
    name="writer",
    instructions=(
        "You are a technical writer. Write clear, well-ordered prose for the reader that the task names. Keep "
        "to the facts you are given, use plain words, and leave out what does not help."
    ),
    tier=ModelTier.SMALL,
    tools=("file_read", "read_artifact"),
    temperature=0.6,
    max_output_tokens=4096,
    facts_shown=CONTEXT_SHOWN,
)
