"""Who is to say yes at a terminal is shown there what it is to: its id, why it is asked, and what is proposed."""

from datetime import UTC, datetime

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
