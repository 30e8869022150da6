"""The tool by which agents of a team talk. It is only described here: the agents' workflows carry it out."""

from datetime import timedelta

from theseus.activities.tools.registry import Tool, ToolError, tool
from theseus.contracts.tools import Effect


def message_tools() -> list[Tool]:
    """`send_message`."""
    return [send_message]


@tool(effect=Effect.WRITE, timeout=timedelta(seconds=5))
def send_message(to: str, text: str) -> str:
    """Writes to another agent of your team, or to your lead. Answers come as messages before your next turn.

    Args:
        to: name of the agent, or "lead".
        text: what you want to say.
    """
    raise ToolError(f"There is no team here: {to} cannot be written to ({len(text)} characters were not sent).")
