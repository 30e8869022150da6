"""All stores in the memory of one process: for tests and for trying things out. Nothing outlives the process."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from theseus.contracts.memory import Change, Fact, Known, Owner
from theseus.contracts.rates import Admission, Draw
from theseus.contracts.research import Snapshot
from theseus.contracts.session import (
    MessageHead,
    SessionKey,
    SessionMessage,
    SessionSummary,
    SessionView,
    Turn,
)
from theseus.contracts.stored import ArtifactPage, BrowserPlace
from theseus.stores.kept import Kept, Key
from theseus.stores.rules import (
    MARKS_KEPT,
    PLACE_GRACE,
    TASKS_REMEMBERED,
    artifact_id,
    check_page,
    check_part,
    in_order,
    memory_path,
    messages_of,
    owner_of,
    session_path,
)


@dataclass
class _Session:
    messages: dict[int, SessionMessage] = field(default_factory=dict[int, SessionMessage])
    tasks: dict[str, None] = field(default_factory=dict[str, None])
    last_seq: int = 0
    summary: SessionSummary | None = None

    def add(self, message: SessionMessage, cap: int) -> None:
        self.last_seq += 1
        self.messages[self.last_seq] = message.model_copy(update={"seq": self.last_seq})
        while len(self.messages) > cap:
            del self.messages[next(iter(self.messages))]


class MemorySessions:
    """Sessions, forgotten `ttl` after the last touch; each keeps its last `cap` messages."""

    def __init__(self, ttl: timedelta = timedelta(days=30), cap: int = 500) -> None:
        self._kept: Kept[_Session] = Kept(ttl)
        self._cap = cap

    async def load(self, key: SessionKey, last: int) -> SessionView:
        """See `SessionStore.load`."""
        session = self._kept.get(session_path(key))
        if session is None:
            return SessionView()
        messages = list(session.messages.values())[-last:] if last > 0 else []
        heads = tuple(MessageHead(seq=m.seq, role=m.role, tokens=m.tokens) for m in messages)
        return SessionView(heads=heads, summary=session.summary)

    async def read(self, key: SessionKey, seqs: Sequence[int]) -> list[SessionMessage]:
        """See `SessionStore.read`."""
        session = self._kept.get(session_path(key)) or _Session()
        return [session.messages[seq] for seq in seqs if seq in session.messages]

    async def append(self, turn: Turn) -> bool:
        """See `SessionStore.append`."""
        session = self._kept.get_or(session_path(turn.key), _Session)
        if turn.task_id in session.tasks:
            return False
        session.tasks[turn.task_id] = None
        while len(session.tasks) > TASKS_REMEMBERED:
            del session.tasks[next(iter(session.tasks))]
        for message in messages_of(turn, datetime.now(UTC)):
            session.add(message, self._cap)
        return True

    async def save_summary(self, key: SessionKey, summary: SessionSummary) -> None:
        """See `SessionStore.save_summary`."""
        session = self._kept.get(session_path(key))
        if session is None or (session.summary and session.summary.through_seq > summary.through_seq):
            return
        session.summary = summary


@dataclass
class _Conversation:
    nodes: dict[str, str] = field(default_factory=dict[str, str])
    slices: dict[tuple[str, int], dict[int, str]] = field(default_factory=dict[tuple[str, int], dict[int, str]])


class MemoryTranscripts:
    """Conversations, forgotten `ttl` after the last touch."""

    def __init__(self, ttl: timedelta = timedelta(days=2)) -> None:
        self._kept: Kept[_Conversation] = Kept(ttl)

    async def put(self, conversation: str, nodes: dict[str, str]) -> None:
        """See `TranscriptStore.put`."""
        self._kept.get_or((conversation,), _Conversation).nodes.update(nodes)

    async def put_part(self, conversation: str, node: str, part: int, parts: int, text: str) -> None:
        """See `TranscriptStore.put_part`; a ValueError when `part` is not one of `parts`."""
        check_part(part, parts)
        kept = self._kept.get_or((conversation,), _Conversation)
        if node in kept.nodes:
            return
        slices = kept.slices.setdefault((node, parts), {})
        slices[part] = text
        if len(slices) == parts:
            kept.nodes[node] = "".join(slices[number] for number in range(parts))
            del kept.slices[node, parts]

    async def get(self, conversation: str) -> dict[str, str]:
        """See `TranscriptStore.get`."""
        kept = self._kept.get((conversation,))
        return dict(kept.nodes) if kept is not None else {}

    def clear(self) -> None:
        """Loses everything, as a store may at any time."""
        self._kept.clear()


@dataclass
class _Fetched:
    pages: dict[str, Snapshot] = field(default_factory=dict[str, Snapshot])
    contents: dict[str, str] = field(default_factory=dict[str, str])
    asked: dict[str, str] = field(default_factory=dict[str, str])


class MemoryEvidence:
    """Snapshots and queries of tasks, forgotten `ttl` after the last touch."""

    def __init__(self, ttl: timedelta = timedelta(days=2)) -> None:
        self._kept: Kept[_Fetched] = Kept(ttl)

    async def put(self, task_id: str, snapshot: Snapshot) -> Snapshot:
        """See `EvidenceStore.put`."""
        kept = self._kept.get_or((task_id,), _Fetched)
        name = kept.contents.setdefault(snapshot.source.sha256, snapshot.source.id)
        if name == snapshot.source.id:
            before = kept.pages.get(name)
            if before is not None and before.source.sha256 != snapshot.source.sha256:
                del kept.contents[before.source.sha256]
            kept.pages[name] = snapshot
        return kept.pages[name]

    async def get(self, task_id: str, source_id: str) -> Snapshot | None:
        """See `EvidenceStore.get`."""
        kept = self._kept.get((task_id,))
        return kept.pages.get(source_id) if kept is not None else None

    async def asked(self, task_id: str, call: str, query: str) -> list[tuple[str, str]]:
        """See `EvidenceStore.asked`."""
        kept = self._kept.get_or((task_id,), _Fetched)
        kept.asked.setdefault(call, query)
        return list(kept.asked.items())[: list(kept.asked).index(call) + 1]

    async def withdraw(self, task_id: str, call: str) -> None:
        """See `EvidenceStore.withdraw`."""
        self._kept.get_or((task_id,), _Fetched).asked.pop(call, None)

    def clear(self) -> None:
        """Loses everything, as a store may at any time."""
        self._kept.clear()


class MemoryBrowsers:
    """Where browsers stand, forgotten `ttl` after the last touch."""

    def __init__(self, ttl: timedelta = timedelta(days=2)) -> None:
        self._kept: Kept[BrowserPlace] = Kept(ttl)

    async def put(self, key: SessionKey, task_id: str, agent: str, place: BrowserPlace) -> None:
        """See `BrowserStore.put`."""
        self._kept.put((*owner_of(key), task_id, agent), place)

    async def get(self, key: SessionKey, task_id: str, agent: str) -> BrowserPlace | None:
        """See `BrowserStore.get`."""
        return self._kept.get((*owner_of(key), task_id, agent))


class MemoryArtifacts:
    """Large texts, forgotten `ttl` after the last touch."""

    def __init__(self, ttl: timedelta = timedelta(days=30)) -> None:
        self._kept: Kept[str] = Kept(ttl)

    async def put(self, key: SessionKey, text: str) -> str:
        """See `ArtifactStore.put`; a ValueError when the text is too large."""
        made = artifact_id(text)
        self._kept.put((*owner_of(key), made), text)
        return made

    async def page(self, key: SessionKey, artifact_id: str, offset: int, limit: int) -> ArtifactPage | None:
        """See `ArtifactStore.page`; a ValueError when offset or limit cannot be."""
        check_page(offset, limit)
        text = self._kept.get((*owner_of(key), artifact_id))
        if text is None:
            return None
        end = offset + limit
        return ArtifactPage(
            text=text[offset:end],
            offset=offset,
            total_chars=len(text),
            next_offset=end if end < len(text) else None,
        )


@dataclass
class _Bucket:
    credit: float
    at: float
    sold: float = 0

    def fill(self, now: float, draw: Draw, returned: float) -> None:
        self.credit = min(self.credit + (now - self.at) * draw.per_second + returned, self.sold + draw.burst)
        self.at = now

    def wait(self, place: float, draw: Draw) -> float:
        return (place + min(draw.amount, draw.burst) - self.credit) / draw.per_second


@dataclass(frozen=True)
class _Place:
    until: float
    at: dict[str, tuple[float, float]]


class MemoryRates:
    """Buckets of one process."""

    def __init__(self) -> None:
        self._buckets: dict[Key, _Bucket] = {}
        self._places: dict[Key, _Place] = {}

    async def take(
        self, provider: str, call: str, draws: Sequence[Draw], *, soon: timedelta, patience: timedelta
    ) -> Admission:
        """See `RateStore.take`."""
        now = time.monotonic()
        self._places = {key: place for key, place in self._places.items() if place.until > now}
        kept = self._places.pop((provider, call), None)
        places: dict[str, tuple[float, float]] = {}
        wait = 0.0
        for draw in draws:
            bucket = self._buckets.setdefault((provider, draw.bucket), _Bucket(draw.burst, now))
            place, before = (kept.at if kept else {}).get(draw.bucket, (bucket.sold, draw.amount))
            bucket.fill(now, draw, before - draw.amount)
            places[draw.bucket] = place, draw.amount
            wait = max(wait, bucket.wait(place, draw))
        told = timedelta(seconds=wait)
        if kept is None and told <= max(soon, patience):
            for draw in draws:
                self._buckets[provider, draw.bucket].sold += draw.amount
        if told <= soon:
            return Admission(state="go", wait=told)
        if kept is None and told > patience:
            return Admission(state="none", wait=told)
        self._places[provider, call] = _Place(now + wait + PLACE_GRACE.total_seconds(), places)
        return Admission(state="line", wait=told)

    async def give_back(self, provider: str, amounts: Mapping[str, float]) -> None:
        """See `RateStore.give_back`."""
        for bucket, amount in amounts.items():
            if (found := self._buckets.get((provider, bucket))) is not None:
                found.credit += amount


@dataclass
class _Memory:
    facts: dict[str, Fact] = field(default_factory=dict[str, Fact])
    used: dict[str, int] = field(default_factory=dict[str, int])
    marks: dict[str, int] = field(default_factory=dict[str, int])
    vectors: dict[str, tuple[str, tuple[float, ...]]] = field(default_factory=dict[str, tuple[str, tuple[float, ...]]])
    revision: int = 0
    cleared: int = 0
    wants: int = 0

    def known(self, marks: Sequence[str] = ()) -> Known:
        return Known(
            facts=in_order(self.facts.values()),
            used=dict(self.used),
            revision=self.revision,
            cleared=self.cleared,
            marks={mark: self.marks[mark] for mark in marks if mark in self.marks},
        )

    def want(self, names: Sequence[str]) -> None:
        self.wants += 1
        self.used.update({name: self.wants for name in names if name in self.facts})

    def become(self, change: Change) -> None:
        self.revision += 1
        if change.clears:
            self.cleared = self.revision
        for name in list(self.facts) if change.clears else change.remove:
            for part in (self.facts, self.used, self.vectors):
                part.pop(name, None)
        self.facts.update({fact.id: fact for fact in change.add})
        self.want([*change.renew, *(fact.id for fact in change.add)])
        for mark in change.marks:
            self.marks.pop(mark, None)
            self.marks[mark] = self.revision
        while len(self.marks) > MARKS_KEPT:
            del self.marks[next(iter(self.marks))]


class MemoryMemory:
    """What is remembered of users, forgotten `ttl` after the last touch."""

    def __init__(self, ttl: timedelta = timedelta(days=365)) -> None:
        self._kept: Kept[_Memory] = Kept(ttl)

    async def load(self, owner: Owner) -> Known:
        """See `MemoryStore.load`."""
        return (self._kept.get(memory_path(owner)) or _Memory()).known()

    async def revise(self, owner: Owner, marks: Sequence[str], rule: Callable[[Known], Change]) -> Known:
        """See `MemoryStore.revise`."""
        memory = self._kept.get(memory_path(owner)) or _Memory()
        change = rule(memory.known(marks))
        if not change.is_nothing:
            memory.become(change)
            self._kept.put(memory_path(owner), memory)
        return memory.known(marks)

    async def want(self, owner: Owner, fact_ids: Sequence[str]) -> None:
        """See `MemoryStore.want`."""
        (self._kept.get(memory_path(owner)) or _Memory()).want(fact_ids)

    async def vectors(self, owner: Owner, model: str) -> dict[str, tuple[float, ...]]:
        """See `MemoryStore.vectors`."""
        memory = self._kept.get(memory_path(owner)) or _Memory()
        return {name: vector for name, (made_by, vector) in memory.vectors.items() if made_by == model}

    async def put_vectors(self, owner: Owner, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """See `MemoryStore.put_vectors`."""
        memory = self._kept.get(memory_path(owner)) or _Memory()
        memory.vectors.update({name: (model, tuple(v)) for name, v in vectors.items() if name in memory.facts})
