"""Events on Redis: a capped stream a task, the set of milestone keys seen, and a hash with the last seq and the end's id."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from pydantic import TypeAdapter
from redis.asyncio import Redis

from theseus.contracts.events import Event, StoredEvent
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import encode, position

_PUBLISH = """
local stream, seen, state = KEYS[1], KEYS[2], KEYS[3]
local ttl, cap = ARGV[1], ARGV[2]
local ended = redis.call('HEXISTS', state, 'end') == 1
for i = 3, #ARGV, 3 do
  local key, is_end, event = ARGV[i], ARGV[i + 1] == '1', ARGV[i + 2]
  if not ended and (key == '' or redis.call('SADD', seen, key) == 1) then
    local seq = string.format('%.0f', redis.call('HINCRBY', state, 'seq', 1))
    local id = redis.call('XADD', stream, 'MAXLEN', '~', cap, '*', 'seq', seq, 'event', event)
    if is_end then
      redis.call('HSET', state, 'end', id)
      ended = true
    end
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
"""

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_PAGE = 500
_WAIT = timedelta(seconds=2)
"""How long one blocking read waits; shorter than the client's own timeout."""


class RedisEvents:
    """Events of tasks, forgotten `ttl` after the last one; each task keeps its last `cap`, or a few more."""

    def __init__(self, client: Redis, *, ttl: timedelta, cap: int, prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._cap = cap
        self._prefix = prefix
        self._publish = client.register_script(_PUBLISH)

    async def publish(self, task_id: str, events: Sequence[Event]) -> None:
        """See `EventLog.publish`; what comes after a STREAM_END is left out."""
        if not events:
            return
        args: list[int | bytes] = [self._ttl, self._cap]
        for event in events:
            is_end = b"1" if event.type == "STREAM_END" else b"0"
            args += [encode(event.key or ""), is_end, _EVENT.dump_json(event)]
        with reaching(self._client):
            await self._publish(keys=self._keys(task_id), args=args)

    async def read(self, task_id: str, after: str = "0", *, follow: bool = True) -> AsyncIterator[StoredEvent]:
        """See `EventLog.read`; a ValueError when `after` is no stream id."""
        place = _exact(after)
        last = None if follow else await self._last(task_id)
        while True:
            events, end = await self._page(task_id, place, last or "+")
            for stored in events:
                place = stored.stream_id
                yield stored
            if end is not None and position(place) >= position(end):
                return
            if events:
                continue
            if not follow:
                return
            await self._wait(task_id, place)

    async def end(self, task_id: str) -> str | None:
        """See `EventLog.end`."""
        with reaching(self._client):
            found = await self._client.hget(self._keys(task_id)[2], "end")
        return as_bytes(found).decode() if found is not None else None

    async def _page(self, task_id: str, after: str, last: str) -> tuple[list[StoredEvent], str | None]:
        stream, _, state = self._keys(task_id)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                batch.xrange(stream, min=f"({after}", max=last, count=_PAGE)
                batch.hget(state, "end")
                found, end = await batch.execute()
        events = [_stored(entry, fields) for entry, fields in found]
        return events, as_bytes(end).decode() if end is not None else None

    async def _last(self, task_id: str) -> str:
        stream, _, _ = self._keys(task_id)
        with reaching(self._client):
            found = await self._client.xrevrange(stream, count=1)
        return as_bytes(found[0][0] or b"").decode() if found else "0-0"

    async def _wait(self, task_id: str, after: str) -> None:
        stream, _, _ = self._keys(task_id)
        with reaching(self._client):
            await self._client.xread({stream: after}, count=1, block=milliseconds(_WAIT))

    def _keys(self, task_id: str) -> tuple[str, str, str]:
        start = key_of(self._prefix, "events", (task_id,))
        return f"{start}:stream", f"{start}:seen", f"{start}:state"


def _exact(after: str) -> str:
    """A bare "17" names 17-0 here, as it does for Redis where it starts a read."""
    first, second = position(after)
    return f"{first}-{second}"


def _stored(entry: bytes | str, fields: dict[bytes | str, bytes | str]) -> StoredEvent:
    named = {as_bytes(name): value for name, value in fields.items()}
    return StoredEvent(
        stream_id=as_bytes(entry).decode(),
        seq=int(named[b"seq"]),
        event=_EVENT.validate_json(named[b"event"]),
    )
