"""Activities on what is remembered of users: recall it for a task, keep what a task heard."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from theseus.contracts.errors import ErrorType
from theseus.contracts.memory import KeepRequest, Kept, Recalled, RecallRequest
from theseus.domain.recalling import picked
from theseus.domain.remembering import facts_of, marks_of, settled
from theseus.stores.ports import MemoryStore, StoreDownError


class MemoryActivities:
    """What workflows do with users' memories; each user has at most `cap` facts."""

    def __init__(self, memory: MemoryStore, cap: int) -> None:
        self._memory = memory
        self._cap = cap

    @activity.defn(name="memory.recall")
    async def recall(self, request: RecallRequest) -> Recalled:
        """The facts of a user that help with a query, within the room there is."""
        try:
            known = await self._memory.load(request.owner)
            facts = picked(known.facts, request.query, request.room_tokens)
            if facts:
                await self._memory.want(request.owner, [fact.id for fact in facts])
        except StoreDownError as error:
            raise _down("the user's memory could not be read", error) from error
        return Recalled(facts=facts, revision=known.revision)

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


def _down(what: str, error: StoreDownError) -> ApplicationError:
    return ApplicationError(f"{what}: {error}", type=ErrorType.STORE_DOWN)
