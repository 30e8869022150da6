"""Rules of a supervised team: who may do what, when it has failed, and how its lead is told."""

from collections.abc import Mapping, Sequence

from theseus.contracts.carried import TeamState
from theseus.contracts.supervision import LEAD, Finding, Member

MOST_AGENTS = 10
MOST_ROUNDS = 60
MOST_MESSAGES = 100
MOST_IDLE = 3
"""So many times in a row a lead may wait though nothing can happen."""
LEAST_FAILURES = 2
LEAST_CARRIED_CHARS = 500
"""No text of a team that goes on in a new history is cut to less."""
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


def has_failed(findings: Sequence[Finding], under_way: int) -> bool:
    """Whether so many assignments failed that the team is given up: half of all given, and more than one."""
    failed = sum(bool(finding.error) for finding in findings)
    return failed >= LEAST_FAILURES and 2 * failed >= len(findings) + under_way


def roster(members: Mapping[str, Member]) -> str:
    """The team, a line each."""
    if not members:
        return "The team has no agents yet."
    return "The team:\n" + "\n".join(f"- {m.name} ({m.role}): {m.state}" for m in members.values())


def told(finding: Finding) -> str:
    """How the lead hears of what an assignment brought."""
    if finding.error:
        found = f"\nWhat it had found:\n{finding.text[:SHOWN_CHARS]}" if finding.text.strip() else ""
        return f"{finding.name} failed at: {finding.task[:200]}\nWhy: {finding.error[:1000]}{found}"
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


def fitted(team: TeamState, most_bytes: int) -> TeamState:
    """The team's memory within so many bytes: the longest texts are cut, as little as is needed."""
    longest = max((len(text) for text in _texts(team)), default=0)
    while longest > LEAST_CARRIED_CHARS and len(team.model_dump_json()) > most_bytes:
        longest = max(longest // 2, LEAST_CARRIED_CHARS)
        team = team.model_copy(
            update={
                "findings": tuple(f.model_copy(update={"text": _cut(f.text, longest)}) for f in team.findings),
                "talk": tuple(
                    message.model_copy(update={"text": _cut(message.text, longest)}) for message in team.talk
                ),
            }
        )
    return team


def _texts(team: TeamState) -> list[str]:
    return [finding.text for finding in team.findings] + [message.text for message in team.talk]


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]}\n[{len(text) - chars} more characters were left out]"
