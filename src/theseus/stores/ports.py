"""The ports of all stores. `memory.py` and `redis.py` implement each and pass one test-suite."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from theseus.contracts.allowances import Allowance
from theseus.contracts.answers import Claim, KeptAnswer
from theseus.contracts.events import Event, StoredEvent
from theseus.contracts.memory import Change, Known, Owner
from theseus.contracts.offers import Offer
from theseus.contracts.rates import Admission, Draw
from theseus.contracts.research import Snapshot
from theseus.contracts.session import (
    SessionKey,
    SessionMessage,
    SessionSummary,
    SessionView,
    Turn,
)
from theseus.contracts.stored import ArtifactPage, BrowserPlace
from theseus.stores.archive.port import Archive


class StoreDownError(Exception):
    """The store cannot be reached now; the call may be tried again. Raised by every store for its own transport errors."""


class SessionStore(Protocol):
    """Conversations: 30 days from the last touch, the last 500 messages."""

    async def load(self, key: SessionKey, last: int) -> SessionView:
        """Heads of the last `last` messages, oldest first, and the summary; empty for an unknown or a foreign session."""
        ...

    async def read(self, key: SessionKey, seqs: Sequence[int]) -> list[SessionMessage]:
        """The messages with these numbers that still exist, in the order asked."""
        ...

    async def append(self, turn: Turn) -> bool:
        """Adds the user's and the assistant's message in one step, once per task id; False if that task did it before.

        Raises:
            PermissionError: the session belongs to another user or tenant.
        """
        ...

    async def save_summary(self, key: SessionKey, summary: SessionSummary) -> None:
        """Keeps the summary unless a newer one is there; does nothing for an unknown or a foreign session."""
        ...


class TranscriptStore(Protocol):
    """Conversation nodes by content hash, grouped by conversation, with a time to live. Losing it loses nothing."""

    async def put(self, conversation: str, nodes: dict[str, str]) -> None:
        """Keeps node texts under their hashes and renews the conversation's time to live."""
        ...

    async def put_part(self, conversation: str, node: str, part: int, parts: int, text: str) -> None:
        """Keeps one slice of a node; the node is there once all its parts are."""
        ...

    async def get(self, conversation: str) -> dict[str, str]:
        """All nodes of a conversation: hash to text; empty when it is gone."""
        ...


class ArtifactStore(Protocol):
    """Large texts that a model pages through; they belong to a session's owner and live as long as a session."""

    async def put(self, key: SessionKey, text: str) -> str:
        """Keeps the text and gives its id (made from its content, so that a retry gives the same)."""
        ...

    async def page(self, key: SessionKey, artifact_id: str, offset: int, limit: int) -> ArtifactPage | None:
        """Up to `limit` characters from `offset`; None for an unknown or a foreign artifact."""
        ...


class EventLog(Protocol):
    """Events of tasks: one capped stream a task, 24 hours."""

    async def publish(self, task_id: str, events: Sequence[Event]) -> None:
        """Appends in order; an event whose key was published before is left out."""
        ...

    def read(self, task_id: str, after: str = "0", *, follow: bool = True) -> AsyncIterator[StoredEvent]:
        """Events after the stream id `after`, oldest first; with `follow` it waits for more until STREAM_END."""
        ...

    async def end(self, task_id: str) -> str | None:
        """The stream id of a task's STREAM_END; None while there is none, and when its events are forgotten."""
        ...


class RateStore(Protocol):
    """Token buckets of providers, shared by all workers. Losing them forgets only what was drawn a moment ago."""

    async def take(
        self, provider: str, call: str, draws: Sequence[Draw], *, soon: timedelta, patience: timedelta
    ) -> Admission:
        """Draws from all these buckets at once, or takes a place in the line before them.

        A call that may go within `soon` has drawn, and waits that out by itself. One that may go within `patience` keeps
        its place under its name and asks again, for more or less if it likes; the place is lost, with what it was to draw,
        a minute after its turn has come. For any other nothing is changed. A draw above the burst goes once the bucket is full, and leaves a debt.
        """
        ...

    async def give_back(self, provider: str, amounts: Mapping[str, float]) -> None:
        """Puts what was drawn and not used back into buckets; a negative amount draws what was used beyond the draw."""
        ...


class RequestStore(Protocol):
    """Requests of callers in the last while, counted by all gateways together. Losing it forgets only that while."""

    async def admit(self, key: str, *, most: int, window: timedelta) -> Allowance:
        """Counts a request of a key, unless `most` (at least 1) were counted in the `window` before it.

        One that is refused does not count: who asks on and on is let in as soon as others are.
        """
        ...


class EvidenceStore(Protocol):
    """What the researchers of a task fetched and asked. Losing it costs fetching again: noted evidence is in histories."""

    async def put(self, task_id: str, snapshot: Snapshot) -> Snapshot:
        """Keeps a page; gives the one that is kept: the same text under another address is kept once, as the first was."""
        ...

    async def get(self, task_id: str, source_id: str) -> Snapshot | None:
        """The page of that source; None when it is not there, or not any more."""
        ...

    async def asked(self, task_id: str, call: str, query: str) -> list[tuple[str, str]]:
        """Notes a search query under the name of its call; gives the calls and queries of the task up to it, in their order.

        A call that comes again keeps its query and its place.
        """
        ...

    async def withdraw(self, task_id: str, call: str) -> None:
        """Forgets the query of a call, as though it had not been asked; nothing happens where there is none."""
        ...


class BrowserStore(Protocol):
    """Where the browsers of agents stand, so that another worker finds it. Losing it costs an agent its open page."""

    async def put(self, key: SessionKey, task_id: str, agent: str, place: BrowserPlace) -> None:
        """Keeps where the browser of an agent of that session's owner stands now."""
        ...

    async def get(self, key: SessionKey, task_id: str, agent: str) -> BrowserPlace | None:
        """Where it stood last; None when that is not known, or not any more, or another's task had that id."""
        ...


class MemoryStore(Protocol):
    """What is remembered of users. Each memory belongs to a user of a tenant; for anyone else it is empty."""

    async def load(self, owner: Owner) -> Known:
        """All facts of a user, without marks."""
        ...

    async def revise(self, owner: Owner, marks: Sequence[str], rule: Callable[[Known], Change]) -> Known:
        """Changes a memory in one step by a rule, which sees the named marks; gives what is known afterwards.

        The rule is asked again when the memory changed meanwhile. What is removed is gone, with its vectors.
        """
        ...

    async def want(self, owner: Owner, fact_ids: Sequence[str]) -> None:
        """Notes that these facts were wanted now; those that are gone stay gone."""
        ...

    async def vectors(self, owner: Owner, model: str) -> dict[str, tuple[float, ...]]:
        """The vectors that an embedding model made, by fact id."""
        ...

    async def put_vectors(self, owner: Owner, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Keeps vectors of facts that are still there; one of another model is replaced."""
        ...


class AnswerStore(Protocol):
    """Requests that may come again: one at a time does a request, and what it answered is given to those after it."""

    async def claim(self, request: str, holder: str, *, lease: timedelta) -> Claim:
        """Takes a request for `holder` for as long as `lease`, or once more; tells who has it, or what was answered."""
        ...

    async def keep(self, request: str, holder: str, answer: KeptAnswer) -> None:
        """Keeps the answer; one that is kept already stays."""
        ...

    async def release(self, request: str, holder: str) -> None:
        """Gives a request up that `holder` has not answered; another may do it."""
        ...


class OfferStore(Protocol):
    """What the workers of a task queue offer now. Losing it costs lists their content until workers tell again."""

    async def put(self, queue: str, worker: str, offer: Offer) -> None:
        """Tells what a worker offers until `offer.until`."""
        ...

    async def withdraw(self, queue: str, worker: str) -> None:
        """A worker stops."""
        ...

    async def of(self, queue: str) -> list[Offer]:
        """What workers of a queue offer now."""
        ...


@dataclass(frozen=True)
class Stores:
    """Every store that activities use; `archive` is None where ended tasks are not kept."""

    sessions: SessionStore
    transcripts: TranscriptStore
    artifacts: ArtifactStore
    events: EventLog
    rates: RateStore
    evidence: EvidenceStore
    browsers: BrowserStore
    memory: MemoryStore
    offers: OfferStore
    archive: Archive | None = None
