"""Transcripts on Redis: one hash a conversation (node hash to text), one more while slices of a node arrive."""

from datetime import timedelta

from redis.asyncio import Redis

from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import check_part, decode, encode

_PUT_PART = """
local nodes, slices = KEYS[1], KEYS[2]
local ttl, node, part, parts, text = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local function field(number) return node .. ':' .. parts .. ':' .. number end
if redis.call('HEXISTS', nodes, node) == 0 then
  redis.call('HSET', slices, field(part), text)
  local missing = parts - 1
  while missing >= 0 and redis.call('HEXISTS', slices, field(missing)) == 1 do missing = missing - 1 end
  if missing < 0 then
    local all = {}
    for number = 0, parts - 1 do
      all[number + 1] = redis.call('HGET', slices, field(number))
      redis.call('HDEL', slices, field(number))
    end
    redis.call('HSET', nodes, node, table.concat(all))
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ttl) end
"""


class RedisTranscripts:
    """Conversations, forgotten `ttl` after the last touch."""

    def __init__(self, client: Redis, *, ttl: timedelta, prefix: str = "theseus") -> None:
        self._client = client
        self._ttl = milliseconds(ttl)
        self._prefix = prefix
        self._put_part = client.register_script(_PUT_PART)

    async def put(self, conversation: str, nodes: dict[str, str]) -> None:
        """See `TranscriptStore.put`."""
        name, slices = self._keys(conversation)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                if nodes:
                    batch.hset(name, mapping={node: encode(text) for node, text in nodes.items()})
                batch.pexpire(name, self._ttl)
                batch.pexpire(slices, self._ttl)
                await batch.execute()

    async def put_part(self, conversation: str, node: str, part: int, parts: int, text: str) -> None:
        """See `TranscriptStore.put_part`; a ValueError when `part` is not one of `parts`."""
        check_part(part, parts)
        with reaching(self._client):
            await self._put_part(keys=self._keys(conversation), args=[self._ttl, node, part, parts, encode(text)])

    async def get(self, conversation: str) -> dict[str, str]:
        """See `TranscriptStore.get`."""
        name, slices = self._keys(conversation)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                batch.hgetall(name)
                batch.pexpire(name, self._ttl)
                batch.pexpire(slices, self._ttl)
                nodes, *_ = await batch.execute()
        return {decode(as_bytes(node)): decode(as_bytes(text)) for node, text in nodes.items()}

    def _keys(self, conversation: str) -> tuple[str, str]:
        start = key_of(self._prefix, "transcript", (conversation,))
        return f"{start}:nodes", f"{start}:slices"
