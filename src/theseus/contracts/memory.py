"""What is remembered of a user beyond a session: facts, how they are noted, recalled and kept. Inner contract."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from theseus.contracts.inner import Inner
from theseus.contracts.messages import Route
from theseus.contracts.task import Usage

MOST_FACTS_OF_A_TASK = 8


class Kind(StrEnum):
    """What a fact is about: who the user is, what the user likes, has decided or works on."""

    PERSON = "person"
    PREFERENCE = "preference"
    DECISION = "decision"
    WORK = "work"
    OTHER = "other"


class Owner(Inner):
    """Whose memory it is. Nobody else's, and of no user, there is none."""

    tenant_id: str = ""
    user_id: str


class Fact(Inner):
    """One sentence about a user, without personal numbers and secrets.

    `id` follows from the task and the number of the fact in it; `at` is when that task ended (UTC). `only_one` says that
    a newer fact about the same takes its place.
    """

    id: str
    text: str
    kind: Kind = Kind.OTHER
    about: str = ""
    keywords: tuple[str, ...] = ()
    only_one: bool = False
    task_id: str
    n: int
    at: datetime

    @property
    def day(self) -> date:
        """When it was told."""
        return self.at.date()


class Note(BaseModel):
    """What a model wants to be remembered."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    fact: str = Field(description="One plain sentence that is understood by itself, in the language of the user.")
    said: str = Field(description="The words of the user that show it, copied word for word.")
    kind: Kind = Kind.OTHER
    about: str = Field(default="", description="What it is about in one to three words, such as: home town.")
    only_one: bool = Field(
        default=False, description="true when there is one at a time, such as a home town: a newer one replaces it."
    )
    keywords: list[str] = Field(default=[], description="Up to five other words by which it may be looked for.")


class Notes(BaseModel):
    """What the remembering role answers; empty when there is nothing to keep."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    notes: list[Note] = Field(description=f"At most {MOST_FACTS_OF_A_TASK}; none is the usual answer.")


class RecallRequest(Inner):
    """Asks what of a user's memory helps with a task, in `room_tokens`; embeddings may spend what is spare."""

    owner: Owner
    query: str
    room_tokens: int
    spare_tokens: int = 0
    spare_microusd: int = 0


class Recalled(Inner):
    """What a task knows of its user, oldest first. `revision` counts the changes of the memory until then.

    `problem` says in words why nothing, or less, could be recalled. `usage` is what embeddings took on `route`.
    """

    facts: tuple[Fact, ...] = ()
    revision: int = 0
    problem: str = ""
    usage: Usage = Usage()
    route: Route | None = None


class KeepRequest(Inner):
    """Asks to keep a task's notes; `recalled` is what it knew, so that it does not bring back what was forgotten since."""

    owner: Owner
    task_id: str
    at: datetime
    notes: tuple[Note, ...]
    recalled: Recalled


class Kept(Inner):
    """Ids of the facts that are kept of a task."""

    ids: tuple[str, ...] = ()


class Known(Inner):
    """A user's memory as a store has it, oldest first.

    `used` says when each fact was last wanted, by a counter; `marks` holds those that were asked for: names of things
    that happened, with the revision at which they did. `cleared` is the revision at which all was forgotten last, 0 never.
    """

    facts: tuple[Fact, ...] = ()
    used: dict[str, int] = Field(default_factory=dict[str, int])
    revision: int = 0
    cleared: int = 0
    marks: dict[str, int] = Field(default_factory=dict[str, int])


class Change(Inner):
    """What is to become of a memory. Removed facts leave nothing behind but `marks`; `clears` removes all."""

    add: tuple[Fact, ...] = ()
    remove: tuple[str, ...] = ()
    renew: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    clears: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether all stays as it is."""
        return not (self.add or self.remove or self.renew or self.marks or self.clears)
