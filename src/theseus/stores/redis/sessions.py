"""Sessions on Redis.

A session has four keys in one slot: `heads` (list of "seq:role:tokens"), `texts` (hash: seq to message as JSON), `tasks`
(sorted set of task ids that were appended) and `state` (hash: last seq, summary).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from redis.asyncio import Redis

from theseus.contracts.session import (
    MessageHead,
    SessionKey,
    SessionMessage,
    SessionSummary,
    SessionView,
    Turn,
)
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import TASKS_REMEMBERED, decode, encode, messages_of, session_path

_APPEND = """
local heads, texts, tasks, state = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local task, ttl, cap, remembered = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local is_new = not redis.call('ZSCORE', tasks, task)
if is_new then
  local seq
  for i = 5, #ARGV, 3 do
    seq = redis.call('HINCRBY', state, 'seq', 1)
    redis.call('RPUSH', heads, string.format('%.0f:%s:%s', seq, ARGV[i], ARGV[i + 1]))
    redis.call('HSET', texts, string.format('%.0f', seq), ARGV[i + 2])
  end
  redis.call('ZADD', tasks, seq, task)
  redis.call('ZREMRANGEBYRANK', tasks, 0, -remembered - 1)
  for _ = 1, redis.call('LLEN', heads) - cap do
    redis.call('HDEL', texts, string.match(redis.call('LPOP', heads), '^%d+'))
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
return is_new and 1 or 0
"""

_SAVE_SUMMARY = """
local heads, state = KEYS[1], KEYS[4]
if redis.call('EXISTS', heads) == 0 then return end
local kept = redis.call('HGET', state, 'summary_through_seq')
if not kept or tonumber(kept) <= tonumber(ARGV[4]) then
  redis.call('HSET', state, 'summary', ARGV[2], 'summary_tokens', ARGV[3], 'summary_through_seq', ARGV[4])
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
"""

_SUMMARY = ["summary", "summary_tokens", "summary_through_seq"]


class RedisSessions:
    """Sessions, forgotten `ttl` after the last touch; each keeps its last `cap` messages."""

    def __init__(self, client: Redis, *, ttl: timedelta, cap: int, prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._cap = cap
        self._prefix = prefix
        self._append = client.register_script(_APPEND)
        self._save_summary = client.register_script(_SAVE_SUMMARY)

    async def load(self, key: SessionKey, last: int) -> SessionView:
        """See `SessionStore.load`."""
        heads, _, _, state = keys = self._keys(key)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                batch.lrange(heads, -last, -1) if last > 0 else batch.lrange(heads, 1, 0)
                batch.hmget(state, _SUMMARY)
                for name in keys:
                    batch.pexpire(name, self._ttl)
                found, summary, *_ = await batch.execute()
        return SessionView(heads=tuple(_head(as_bytes(head)) for head in found), summary=_summary(summary))

    async def read(self, key: SessionKey, seqs: Sequence[int]) -> list[SessionMessage]:
        """See `SessionStore.read`."""
        if not seqs:
            return []
        _, texts, _, _ = keys = self._keys(key)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                batch.hmget(texts, [str(seq) for seq in seqs])
                for name in keys:
                    batch.pexpire(name, self._ttl)
                found, *_ = await batch.execute()
        return [
            SessionMessage.model_validate_json(text).model_copy(update={"seq": seq})
            for seq, text in zip(seqs, found, strict=True)
            if text is not None
        ]

    async def append(self, turn: Turn) -> bool:
        """See `SessionStore.append`."""
        args: list[str | int | bytes] = [encode(turn.task_id), self._ttl, self._cap, TASKS_REMEMBERED]
        for message in messages_of(turn, datetime.now(UTC)):
            args += [message.role, message.tokens, message.model_dump_json()]
        with reaching(self._client):
            return await self._append(keys=self._keys(turn.key), args=args) == 1

    async def save_summary(self, key: SessionKey, summary: SessionSummary) -> None:
        """See `SessionStore.save_summary`."""
        args = [self._ttl, encode(summary.text), summary.tokens, summary.through_seq]
        with reaching(self._client):
            await self._save_summary(keys=self._keys(key), args=args)

    def _keys(self, key: SessionKey) -> tuple[str, str, str, str]:
        start = key_of(self._prefix, "session", session_path(key))
        return f"{start}:heads", f"{start}:texts", f"{start}:tasks", f"{start}:state"


def _head(kept: bytes) -> MessageHead:
    seq, role, tokens = kept.split(b":")
    said_by: Literal["user", "assistant"] = "user" if role == b"user" else "assistant"
    return MessageHead(seq=int(seq), role=said_by, tokens=int(tokens))


def _summary(kept: Sequence[bytes | str | None]) -> SessionSummary | None:
    text, tokens, through_seq = kept
    if text is None or tokens is None or through_seq is None:
        return None
    return SessionSummary(text=decode(as_bytes(text)), tokens=int(tokens), through_seq=int(through_seq))
