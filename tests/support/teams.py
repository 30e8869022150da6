"""Scripts for teams: who says what, told apart by the roles' own prompts."""

from typing import Any

PLANNER = "You split a task into subtasks"
SYNTHESIZER = "You write the final answer"
JUDGE = "You judge a draft answer"
LEAD = "You lead a team of agents"
ROUTER = "You assess a task"

Rule = dict[str, Any]


def subtask(name: str, *after: str, **more: Any) -> dict[str, Any]:
    """A subtask whose agent is told to do `name`; it needs the subtasks `after`."""
    return {
        "id": name,
        "description": f"do {name}",
        "role": "chat",
        "tools": None,
        "depends_on": list(after),
        "if_missing": "required",
        "strategy": "react",
        "tier": None,
        "expected_output": "",
        **more,
    }


def plans(*subtasks: dict[str, Any], **rule: Any) -> Rule:
    """The planner answers with this plan."""
    plan = {"complexity": 0.5, "strategy": "side by side", "subtasks": list(subtasks)}
    return {"when": {"system": PLANNER}, "reply": {"json": plan}, **rule}


def does(name: str, text: str | None = None, **rule: Any) -> Rule:
    """The agent of that subtask answers."""
    return {"when": {"last_user": f"^do {name}\\b"}, "reply": {"text": text or f"result of {name}"}, **rule}


def synthesis(text: str = "the whole answer", **rule: Any) -> Rule:
    """The synthesizer answers."""
    return {"when": {"system": SYNTHESIZER}, "reply": {"text": text}, **rule}


def leads(*decisions: list[dict[str, Any]]) -> list[Rule]:
    """The lead's decisions, one after another."""
    return [
        {
            "when": {"system": LEAD, "turn": turn},
            "reply": {"json": {"thought": f"turn {turn}", "actions": actions}},
        }
        for turn, actions in enumerate(decisions)
    ]


Action = dict[str, Any]

WAIT: Action = {"kind": "wait"}


def recruit(name: str, role: str = "chat") -> Action:
    """The lead takes somebody into the team."""
    return {"kind": "recruit", "name": name, "role": role}


def assign(name: str, task: str | None = None) -> Action:
    """The lead gives work."""
    return {"kind": "assign", "agent": name, "task": task or f"work of {name}"}


def retire(name: str) -> Action:
    """The lead takes somebody out of the team."""
    return {"kind": "retire", "agent": name}


def finish(answer: str = "") -> Action:
    """The lead ends the task."""
    return {"kind": "finish", "answer": answer}


def works(name: str, text: str | None = None, **rule: Any) -> Rule:
    """The agent of that name does what it was assigned."""
    return {"when": {"last_user": f"^work of {name}\\b"}, "reply": {"text": text or f"found by {name}"}, **rule}


def decides(*actions: Action, **rule: Any) -> Rule:
    """The lead decides this whenever it is asked and no rule before says more."""
    return {"when": {"system": LEAD}, "reply": {"json": {"thought": "", "actions": list(actions)}}, **rule}


def writes(to: str, *texts: str) -> dict[str, Any]:
    """An agent's reply that writes to another."""
    calls = [{"name": "send_message", "arguments": {"to": to, "text": text}} for text in texts]
    return {"tool_calls": calls}
