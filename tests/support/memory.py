"""What tests of memory share: a user, and a model that takes notes."""

from typing import Any

from theseus.contracts.memory import Owner
from theseus.roles.role import KNOWN_OF_USER

ADA = Owner(tenant_id="acme", user_id="ada")
HEADING = KNOWN_OF_USER["memory"]
NOTER = "You note what is worth remembering"


def note(fact: str, said: str, **more: Any) -> dict[str, Any]:
    """One note as a model writes it."""
    return {"fact": fact, "said": said, "kind": "other", "about": "", "only_one": False, "keywords": [], **more}


def noting(*notes: dict[str, Any]) -> dict[str, Any]:
    """The rule of a model that takes these notes of every task."""
    return {"when": {"system": NOTER}, "reply": {"json": {"notes": list(notes)}}}
