"""Activities on what is remembered of users: recall it for a task, keep what a task heard."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.exceptions import ApplicationError

from theseus.activities.llm.embedding import Embedder, EmbeddingError
from theseus.contracts.errors import ErrorType
from theseus.contracts.memory import Fact, KeepRequest, Kept, Recalled, RecallRequest
from theseus.contracts.task import Usage
from theseus.domain.recalling import cosines, picked
from theseus.domain.remembering import facts_of, marks_of, settled
from theseus.domain.tokens import estimate
from theseus.stores.ports import MemoryStore, StoreDownError

MOST_EMBEDDED = 128
"""Texts that one recall has embedded; a memory that is new to the embedding model gets its vectors over several."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Likeness:
    """How alike each fact and the query are in meaning, as far as it is known."""

    of: dict[str, float] = field(default_factory=dict[str, float])
    usage: Usage = field(default_factory=Usage)
    problem: str = ""


class MemoryActivities:
    """What workflows do with users' memories.

    Args:
        memory: where they are kept.
        cap: facts of one user at most.
        embedder: tells likeness of meaning; without one, words alone are compared.
    """

    def __init__(self, memory: MemoryStore, cap: int, embedder: Embedder | None = None) -> None:
        self._memory = memory
        self._cap = cap
        self._embedder = embedder

    @activity.defn(name="memory.recall")
    async def recall(self, request: RecallRequest) -> Recalled:
        """The facts of a user that help with a query, within the room there is."""
        try:
            known = await self._memory.load(request.owner)
            alike = await self._likeness(request, known.facts)
            # comparing hundreds of texts takes longer than other tasks of the worker should stand still
            facts = await asyncio.to_thread(picked, known.facts, request.query, request.room_tokens, alike.of)
            if facts:
                await self._memory.want(request.owner, [fact.id for fact in facts])
        except StoreDownError as error:
            raise _down("the user's memory could not be read", error) from error
        return Recalled(
            facts=facts,
            revision=known.revision,
            problem=alike.problem,
            usage=alike.usage,
            route=self._embedder.route if self._embedder is not None and alike.usage.total_tokens else None,
        )

    @activity.defn(name="memory.keep")
    async def keep(self, request: KeepRequest) -> Kept:
        """Adds a task's notes to its user's memory without personal data: each once, however often it is asked."""
        offered = facts_of(request)
        rule = settled(offered, request.recalled, self._cap)
        try:
            known = await self._memory.revise(request.owner, marks_of(offered, request.recalled), rule)
        except StoreDownError as error:
            raise _down("the user's memory could not be added to", error) from error
        ids = {fact.id for fact in known.facts}
        return Kept(ids=tuple(fact.id for fact in offered if fact.id in ids))

    async def _likeness(self, request: RecallRequest, facts: Sequence[Fact]) -> _Likeness:
        """Likeness by vectors, of which the missing ones are made beside the query's; of none where none can be made."""
        embedder = self._embedder
        if embedder is None or not facts:
            return _Likeness()
        vectors = await self._memory.vectors(request.owner, str(embedder.route))
        missing = [fact for fact in reversed(facts) if fact.id not in vectors]
        texts = _fitting([request.query, *(fact.text for fact in missing)], _room(request, embedder))
        if not texts:
            return _Likeness(problem="words alone were compared: the budget has no room for embeddings")
        try:
            made = await embedder.embed(texts)
        except EmbeddingError as error:
            _log.warning("memory: words alone are compared: %s", error)
            return _Likeness(problem=f"words alone were compared: {error}"[:300])
        query, *others = made.vectors
        fresh = {fact.id: vector for fact, vector in zip(missing, others, strict=False)}
        await self._memory.put_vectors(request.owner, str(embedder.route), fresh)
        return _Likeness(await asyncio.to_thread(cosines, query, {**vectors, **fresh}), made.usage)


def _room(request: RecallRequest, embedder: Embedder) -> int:
    affordable = embedder.affordable_tokens(request.spare_microusd)
    return request.spare_tokens if affordable is None else min(request.spare_tokens, affordable)


def _fitting(texts: Sequence[str], room: int) -> list[str]:
    """The first texts that fit into so many tokens; none when the first does not."""
    chosen: list[str] = []
    for text in texts[:MOST_EMBEDDED]:
        room -= estimate(text)
        if room < 0:
            break
        chosen.append(text)
    return chosen


def _down(what: str, error: StoreDownError) -> ApplicationError:
    return ApplicationError(f"{what}: {error}", type=ErrorType.STORE_DOWN)
