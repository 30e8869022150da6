"""Who is to say yes at a terminal is shown there what it is to: its id, why it is asked, and what is proposed."""

from datetime import UTC, datetime

from pydantic import JsonValue

from theseus.commands.showing import state_lines
from theseus.contracts.control import ControlState, PendingApproval, Progress

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def test_what_waits_for_a_person_is_told_with_what_is_proposed() -> None:
    asked = [
        PendingApproval(
            approval_id=f"task-1/node/{name}",
            kind="task",
            reason=f"the template asks before its node {name}",
            action={"node": name, "starts_with": {"prompt": "x" * 5_000}},
            requested_at=NOW,
            deadline=NOW,
        )
        for name in ("a", "b")
    ]
    lines = state_lines("task-1", Progress(phase="waiting for approval"), ControlState(), asked)
    for name in ("a", "b"):
        [place] = [at for at, line in enumerate(lines) if f"task-1/node/{name}" in line]
        assert f"asks before its node {name}" in lines[place]
        assert f'"node": "{name}"' in lines[place + 1] and 1_000 < len(lines[place + 1]) < 3_000
    assert not any("approve" in line for line in state_lines("task-1", Progress(phase="x"), ControlState(), []))


def test_the_arguments_of_a_tool_are_shown_as_a_change_is_written() -> None:
    def shown(arguments: str) -> str:
        action: JsonValue = {"tool": "file_write", "arguments": arguments}
        asked = PendingApproval(
            approval_id="task-1/2", kind="tool", reason="writes", action=action, requested_at=NOW, deadline=NOW
        )
        return "\n".join(state_lines("task-1", Progress(), ControlState(), [asked]))

    assert '"arguments": {"path": "a.txt"}' in shown('{"path": "a.txt"}')
    assert "until 2026-01-31 00:00:00 UTC" in shown("{}")
    assert "not JSON" in shown("not JSON")
