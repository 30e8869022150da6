"""What tests of memory share: a user, facts, and a model that takes notes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from theseus.contracts.memory import Fact, KeepRequest, Note, Owner, Recalled
from theseus.domain.remembering import fact_id
from theseus.roles.role import KNOWN_OF_USER

ADA = Owner(tenant_id="acme", user_id="ada")
HEADING = KNOWN_OF_USER["memory"]
NOTER = "You note what is worth remembering"
MONDAY = datetime(2026, 1, 5, 12, tzinfo=UTC)


def note(fact: str, said: str, **more: Any) -> dict[str, Any]:
    """One note as a model writes it."""
    return {"fact": fact, "said": said, "kind": "other", "about": "", "only_one": False, "keywords": [], **more}


def noting(*notes: dict[str, Any]) -> dict[str, Any]:
    """The rule of a model that takes these notes of every task."""
    return {"when": {"system": NOTER}, "reply": {"json": {"notes": list(notes)}}}


def fact(text: str, task: str = "t1", n: int = 1, days: int = 0, **more: Any) -> Fact:
    """A fact that a task told, so many days after a Monday."""
    return Fact(id=fact_id(task, n), text=text, task_id=task, n=n, at=MONDAY + timedelta(days=days), **more)


def keeping(*texts: str, task: str = "t1", recalled: Recalled | None = None, **more: Any) -> KeepRequest:
    """A task of ada asks to keep these facts."""
    notes = tuple(Note(fact=text, said=text, **more) for text in texts)
    return KeepRequest(owner=ADA, task_id=task, at=MONDAY, notes=notes, recalled=recalled or Recalled())
