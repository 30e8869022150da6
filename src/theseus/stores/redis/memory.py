"""What is remembered of users, on Redis.

A memory has five keys in one slot: `facts` (hash: id to fact as JSON), `used` (sorted set of ids by when they were wanted),
`marks` (sorted set of what happened, by revision), `vectors` (hash: id to model and vector) and `state` (hash: revision,
cleared, wants).
"""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from redis.asyncio import Redis

from theseus.contracts.memory import Change, Fact, Known, Owner
from theseus.stores.ports import StoreDownError
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import MARKS_KEPT, decode, encode, in_order, memory_path

MOST_TRIES = 100
"""So often a rule is asked again before the memory counts as one that cannot be changed now."""

_REVISE = """
local facts, used, marks, vectors, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ttl, seen, clears, most = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1', tonumber(ARGV[4])
if tonumber(redis.call('HGET', state, 'revision') or '0') ~= seen then return 0 end
local at = 5
local function each(change)
  local last = at + tonumber(ARGV[at])
  while at < last do at = change(at + 1) end
  at = at + 1
end
local revision = redis.call('HINCRBY', state, 'revision', 1)
local wants = redis.call('HINCRBY', state, 'wants', 1)
if clears then
  redis.call('DEL', facts, used, vectors)
  redis.call('HSET', state, 'cleared', revision)
end
each(function(i)
  redis.call('HDEL', facts, ARGV[i])
  redis.call('ZREM', used, ARGV[i])
  redis.call('HDEL', vectors, ARGV[i])
  return i
end)
each(function(i)
  redis.call('HSET', facts, ARGV[i], ARGV[i + 1])
  redis.call('ZADD', used, wants, ARGV[i])
  return i + 1
end)
each(function(i)
  if redis.call('HEXISTS', facts, ARGV[i]) == 1 then redis.call('ZADD', used, wants, ARGV[i]) end
  return i
end)
each(function(i)
  redis.call('ZADD', marks, revision, ARGV[i])
  return i
end)
redis.call('ZREMRANGEBYRANK', marks, 0, -most - 1)
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
return 1
"""
_WANT = """
local facts, used, state = KEYS[1], KEYS[2], KEYS[5]
if redis.call('EXISTS', facts) == 0 then return end
local wants = redis.call('HINCRBY', state, 'wants', 1)
for i = 2, #ARGV do
  if redis.call('HEXISTS', facts, ARGV[i]) == 1 then redis.call('ZADD', used, wants, ARGV[i]) end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
"""
_PUT_VECTORS = """
local facts, vectors = KEYS[1], KEYS[4]
for i = 2, #ARGV, 2 do
  if redis.call('HEXISTS', facts, ARGV[i]) == 1 then redis.call('HSET', vectors, ARGV[i], ARGV[i + 1]) end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
"""


class RedisMemory:
    """What is remembered of users, forgotten `ttl` after the last touch."""

    def __init__(self, client: Redis, *, ttl: timedelta, prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._prefix = prefix
        self._revise = client.register_script(_REVISE)
        self._want = client.register_script(_WANT)
        self._put_vectors = client.register_script(_PUT_VECTORS)

    async def load(self, owner: Owner) -> Known:
        """See `MemoryStore.load`."""
        return await self._known(owner, ())

    async def revise(self, owner: Owner, marks: Sequence[str], rule: Callable[[Known], Change]) -> Known:
        """See `MemoryStore.revise`; a StoreDownError when others changed the memory at each of many tries."""
        for _ in range(MOST_TRIES):
            known = await self._known(owner, marks)
            # a rule reads every fact: what else this process does goes on meanwhile
            change = await asyncio.to_thread(rule, known)
            if change.is_nothing:
                return known
            with reaching(self._client):
                done = await self._revise(keys=self._keys(owner), args=self._arguments(known, change))
            if done == 1:
                return await self._known(owner, marks)
        raise StoreDownError("the user's memory is changed by others all the time; try again later")

    async def want(self, owner: Owner, fact_ids: Sequence[str]) -> None:
        """See `MemoryStore.want`."""
        with reaching(self._client):
            await self._want(keys=self._keys(owner), args=[self._ttl, *map(encode, fact_ids)])

    async def vectors(self, owner: Owner, model: str) -> dict[str, tuple[float, ...]]:
        """See `MemoryStore.vectors`."""
        with reaching(self._client):
            kept = await self._client.hgetall(self._keys(owner)[3])  # pyright: ignore[reportGeneralTypeIssues] - untyped in redis
        start = encode(model) + b"\n"
        return {
            decode(as_bytes(name)): _unpacked(as_bytes(value)[len(start) :])
            for name, value in kept.items()
            if as_bytes(value).startswith(start)
        }

    async def put_vectors(self, owner: Owner, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """See `MemoryStore.put_vectors`."""
        args: list[int | bytes] = [self._ttl]
        for name, vector in vectors.items():
            args += [encode(name), encode(model) + b"\n" + struct.pack(f"<{len(vector)}f", *vector)]
        with reaching(self._client):
            await self._put_vectors(keys=self._keys(owner), args=args)

    async def _known(self, owner: Owner, marks: Sequence[str]) -> Known:
        facts, used, marked, _, state = keys = self._keys(owner)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                batch.hvals(facts)
                batch.zrange(used, 0, -1, withscores=True)
                batch.hmget(state, ["revision", "cleared"])
                batch.zmscore(marked, list(marks) or [""])
                for name in keys:
                    batch.pexpire(name, self._ttl)
                kept, wanted, (revision, cleared), happened, *_ = await batch.execute()
        return Known(
            facts=in_order(Fact.model_validate_json(decode(as_bytes(fact))) for fact in kept),
            used={decode(as_bytes(name)): int(at) for name, at in wanted},
            revision=int(revision or 0),
            cleared=int(cleared or 0),
            marks={mark: int(at) for mark, at in zip(marks, happened, strict=False) if at is not None},
        )

    def _arguments(self, known: Known, change: Change) -> list[int | bytes]:
        added = [part for fact in change.add for part in (fact.id, fact.model_dump_json())]
        args: list[int | bytes] = [self._ttl, known.revision, int(change.clears), MARKS_KEPT]
        for values in (change.remove, added, change.renew, change.marks):
            args += [len(values), *map(encode, values)]
        return args

    def _keys(self, owner: Owner) -> tuple[str, str, str, str, str]:
        start = key_of(self._prefix, "memory", memory_path(owner))
        return f"{start}:facts", f"{start}:used", f"{start}:marks", f"{start}:vectors", f"{start}:state"


def _unpacked(packed: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(packed) // 4}f", packed)
