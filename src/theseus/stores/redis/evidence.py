"""What a research fetched, on Redis: a hash of snapshots a task, one of their contents, a list of the queries asked."""

from datetime import timedelta

from redis.asyncio import Redis

from theseus.contracts.research import Snapshot
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import decode, encode

_PUT = """
local pages, contents = KEYS[1], KEYS[2]
local ttl, id, content, page = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local kept = redis.call('HGET', contents, content)
if not kept or redis.call('HEXISTS', pages, kept) == 0 then kept = id end
if kept == id then
  -- what the page said before is not found under it any more
  local before = redis.call('HGET', contents, 'of ' .. id)
  if before then redis.call('HDEL', contents, before) end
  redis.call('HSET', contents, content, id, 'of ' .. id, content)
  redis.call('HSET', pages, id, page)
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
return redis.call('HGET', pages, kept)
"""
_ASKED = """
local asked, calls = KEYS[1], KEYS[2]
local ttl, call, query = ARGV[1], ARGV[2], ARGV[3]
if redis.call('HSETNX', calls, call, query) == 1 then redis.call('RPUSH', asked, call) end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
local order = redis.call('LRANGE', asked, 0, -1)
local found = {}
for _, name in ipairs(order) do
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', calls, name)
  if name == call then break end
end
return found
"""
_WITHDRAW = """
redis.call('LREM', KEYS[1], 0, ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
"""


class RedisEvidence:
    """Snapshots and queries of tasks, forgotten `ttl` after the last touch."""

    def __init__(self, client: Redis, *, ttl: timedelta, prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._prefix = prefix
        self._put = client.register_script(_PUT)
        self._asked = client.register_script(_ASKED)
        self._withdraw = client.register_script(_WITHDRAW)

    async def put(self, task_id: str, snapshot: Snapshot) -> Snapshot:
        """See `EvidenceStore.put`."""
        source = snapshot.source
        with reaching(self._client):
            kept = await self._put(
                keys=[self._key(task_id, "pages"), self._key(task_id, "contents")],
                args=[self._ttl, source.id, source.sha256, encode(snapshot.model_dump_json())],
            )
        return Snapshot.model_validate_json(decode(as_bytes(kept)))

    async def get(self, task_id: str, source_id: str) -> Snapshot | None:
        """See `EvidenceStore.get`."""
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                batch.hget(self._key(task_id, "pages"), source_id)
                for part in ("pages", "contents", "asked", "calls"):
                    batch.pexpire(self._key(task_id, part), self._ttl)
                kept, *_ = await batch.execute()
        return Snapshot.model_validate_json(decode(as_bytes(kept))) if kept is not None else None

    async def asked(self, task_id: str, call: str, query: str) -> list[tuple[str, str]]:
        """See `EvidenceStore.asked`."""
        with reaching(self._client):
            flat = await self._asked(
                keys=[self._key(task_id, "asked"), self._key(task_id, "calls")],
                args=[self._ttl, encode(call), encode(query)],
            )
        words = [decode(as_bytes(part)) for part in flat]
        return list(zip(words[::2], words[1::2], strict=True))

    async def withdraw(self, task_id: str, call: str) -> None:
        """See `EvidenceStore.withdraw`."""
        with reaching(self._client):
            await self._withdraw(keys=[self._key(task_id, "asked"), self._key(task_id, "calls")], args=[encode(call)])

    def _key(self, task_id: str, part: str) -> str:
        return f"{key_of(self._prefix, 'evidence', (task_id,))}:{part}"
