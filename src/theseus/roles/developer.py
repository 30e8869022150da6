"""The developer: reads and writes files of the workspace, runs commands and programs where a worker lets it."""

from theseus.contracts.task import ModelTier
from theseus.roles.role import CONTEXT_SHOWN, Plain

DEVELOPER = Plain(
    name="developer",
    instructions=(
        "You are a software developer. Look at the files before you change them, make the smallest change "
        "that does the whole job, run it where you can, and say what you changed and how it was tested or could be."
    ),
    tier=ModelTier.SMALL,
    tools=(
        "file_read",
        "file_list",
        "file_write",
        "bash",
        "python_executor",
        "read_artifact",
        "calculator",
    ),
    temperature=0.2,
    max_output_tokens=8192,
    facts_shown=CONTEXT_SHOWN,
)
