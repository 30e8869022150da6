"""Rules of a supervised team: who may do what, when it has failed, and how its lead is told."""

from collections.abc import Mapping, Sequence

from theseus.contracts.supervision import LEAD, Finding, Member

MOST_AGENTS = 10
MOST_ROUNDS = 60
MOST_MESSAGES = 100
MOST_IDLE = 3
"""So many times in a row a lead may wait though nothing can happen."""
LEAST_FAILURES = 2
SHOWN_CHARS = 6_000


def active(members: Mapping[str, Member]) -> list[Member]:
    """The agents that are in the team now."""
    return [member for member in members.values() if member.state != "retired"]


def cannot_recruit(members: Mapping[str, Member], name: str, role: str, roles: Sequence[str]) -> str:
    """Why nobody can be recruited so; empty when it is possible."""
    if name == LEAD or name in members:
        return f"the name {name!r} is taken; choose another"
    if role not in roles:
        return f"there is no role {role!r}; roles: {', '.join(roles)}"
    if len(active(members)) >= MOST_AGENTS:
        return f"the team has {MOST_AGENTS} agents, which is the most; retire one first"
    return ""


def cannot_assign(members: Mapping[str, Member], name: str) -> str:
    """Why an agent cannot be given work; empty when it can."""
    member = members.get(name)
    if member is None:
        return f"there is no agent {name!r}; recruit it first. Agents: {', '.join(members) or 'none'}"
    if member.state == "retired":
        return f"{name} has been retired; recruit another agent"
    if member.state == "working":
        return f"{name} is at work; message it, or wait"
    return ""


def has_failed(findings: Sequence[Finding]) -> bool:
    """Whether so many assignments failed that the team is given up: half of them, and more than one."""
    failed = sum(bool(finding.error) for finding in findings)
    return failed >= LEAST_FAILURES and 2 * failed >= len(findings)


def roster(members: Mapping[str, Member]) -> str:
    """The team, a line each."""
    if not members:
        return "The team has no agents yet."
    return "The team:\n" + "\n".join(f"- {m.name} ({m.role}): {m.state}" for m in members.values())


def told(finding: Finding) -> str:
    """How the lead hears of what an assignment brought."""
    if finding.error:
        return f"{finding.name} failed at: {finding.task[:200]}\nWhy: {finding.error[:1000]}"
    cut = finding.text[:SHOWN_CHARS]
    more = f"\n[{len(finding.text) - len(cut)} more characters]" if len(cut) < len(finding.text) else ""
    return f"{finding.name} is done with: {finding.task[:200]}\nResult:\n{cut}{more}"


def welcome(name: str, members: Mapping[str, Member], task: str) -> str:
    """What an agent of a team is told."""
    others = [f"{m.name} ({m.role})" for m in members.values() if m.name != name and m.state != "retired"]
    return (
        f"{task}\n\nYou are {name} in a team. Others: {', '.join(others) or 'none yet'}. With the tool send_message you "
        f"can write to them by name, or to {LEAD}, who gave you this work; answers come as messages. "
        "Write only when it helps the work; your last words are your result."
    )


def failures(findings: Sequence[Finding]) -> list[str]:
    """The assignments that brought nothing and that no later one of the same words mended, a line each."""
    done = {finding.task for finding in findings if not finding.error}
    return [
        f"{finding.task[:80]} ({finding.name}: {finding.error[:200]})"
        for finding in findings
        if finding.error and finding.task not in done
    ]
