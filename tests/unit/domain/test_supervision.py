"""A lead cannot do what makes no sense, is told why, and a team that fails too often is given up."""

import pytest

from theseus.contracts.carried import TeamState
from theseus.contracts.messages import UserMessage
from theseus.contracts.supervision import Finding, Member
from theseus.domain.supervision import (
    MOST_AGENTS,
    SHOWN_CHARS,
    cannot_assign,
    cannot_recruit,
    failures,
    fitted,
    has_failed,
    roster,
    told,
    welcome,
)

TEAM = {
    name: Member.model_validate({"name": name, "role": "chat", "state": state})
    for name, state in (("ann", "idle"), ("bob", "working"), ("cid", "retired"), ("dan", "failed"))
}


def found(task: str, error: str = "", text: str = "found") -> Finding:
    return Finding(agent_id="agent/1", name="ann", task=task, error=error, text="" if error else text)


@pytest.mark.parametrize(
    ("name", "role", "why"),
    [
        ("eve", "chat", ""),
        ("ann", "chat", "is taken"),
        ("cid", "chat", "is taken"),
        ("lead", "chat", "is taken"),
        ("eve", "king", "no role 'king'; roles: chat"),
    ],
)
def test_only_somebody_new_with_a_known_role_can_be_recruited(name: str, role: str, why: str) -> None:
    said = cannot_recruit(TEAM, name, role, ["chat"])
    assert why in said and bool(said) == bool(why)


def test_a_team_has_a_size_and_the_retired_do_not_count() -> None:
    full = {f"a{n}": Member(name=f"a{n}", role="chat") for n in range(MOST_AGENTS)}
    assert "retire one first" in cannot_recruit(full, "eve", "chat", ["chat"])
    full["a0"].state = "retired"
    assert cannot_recruit(full, "eve", "chat", ["chat"]) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [("ann", ""), ("dan", ""), ("bob", "is at work"), ("cid", "has been retired"), ("eve", "recruit it first")],
)
def test_only_who_is_free_can_be_given_work(name: str, why: str) -> None:
    said = cannot_assign(TEAM, name)
    assert why in said and bool(said) == bool(why)


@pytest.mark.parametrize(
    ("failed", "fine", "is_over"),
    [(0, 0, False), (1, 0, False), (1, 1, False), (2, 2, True), (2, 3, False), (3, 2, True)],
)
def test_half_of_the_assignments_and_more_than_one_is_too_many(failed: int, fine: int, is_over: bool) -> None:
    findings = [found(str(n), "no") for n in range(failed)] + [found(str(n)) for n in range(fine)]
    assert has_failed(findings, 0) is is_over


def test_assignments_under_way_may_still_succeed() -> None:
    failed = [found("a", "no"), found("b", "no")]
    assert has_failed(failed, 2) and not has_failed(failed, 3)


def test_a_team_that_goes_on_in_a_new_history_fits_into_it_and_says_what_was_cut() -> None:
    team = TeamState(
        findings=tuple(found(str(n), text="f" * 60_000) for n in range(40)),
        talk=(UserMessage(text="short"), UserMessage(text="t" * 60_000)),
        rounds=7,
    )
    small = fitted(team, 1_000_000)
    assert len(small.model_dump_json()) <= 1_000_000
    assert "more characters were left out" in small.findings[0].text and small.talk[0] == team.talk[0]
    assert (len(small.findings), small.rounds) == (40, 7)
    assert fitted(small, 1_000_000) == small and fitted(team, 10_000_000) == team


def test_what_failed_first_and_was_done_later_is_no_gap() -> None:
    assert failures([found("a", "no"), found("b", "no"), found("a")]) == ["b (ann: no)"]


def test_a_long_result_is_cut_for_the_lead_and_says_so() -> None:
    said = told(found("a", text="x" * (SHOWN_CHARS + 5)))
    assert said.endswith("[5 more characters]")
    assert "failed at: a" in told(found("a", "no"))


def test_an_agent_is_told_who_else_is_there() -> None:
    said = welcome("ann", TEAM, "do it")
    assert "bob (chat)" in said and "dan (chat)" in said and "cid" not in said and "ann (chat)" not in said
    assert roster(TEAM).splitlines()[1:] == [
        "- ann (chat): idle",
        "- bob (chat): working",
        "- cid (chat): retired",
        "- dan (chat): failed",
    ]
