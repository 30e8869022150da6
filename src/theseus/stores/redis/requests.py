"""Requests of callers on Redis: a sorted set a key, with the moments of the requests that its window holds."""

from datetime import timedelta

from redis.asyncio import Redis

from theseus.contracts.allowances import Allowance
from theseus.stores.redis.connection import key_of, milliseconds, reaching

# the server's clock, so that gateways whose clocks differ share one window
_ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local most, window = tonumber(ARGV[1]), ARGV[2] * 1000
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
local had = redis.call('ZCARD', KEYS[1])
local admitted = had < most
if admitted then
  local at = string.format('%.0f', now)
  redis.call('ZADD', KEYS[1], at, at .. ':' .. had)
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  had = had + 1
end
local place = math.max(0, had - most)
local leaves = redis.call('ZRANGE', KEYS[1], place, place, 'WITHSCORES')[2] + window
return {admitted and 1 or 0, math.max(0, most - had), leaves - now}
"""


class RedisRequests:
    """Requests, forgotten when they leave their window."""

    def __init__(self, client: Redis, *, prefix: str = "theseus") -> None:
        self._client = client
        self._prefix = prefix
        self._admit = client.register_script(_ADMIT)

    async def admit(self, key: str, *, most: int, window: timedelta) -> Allowance:
        """See `RequestStore.admit`."""
        with reaching(self._client):
            name = key_of(self._prefix, "requests", (key,))
            is_admitted, left, wait = await self._admit(keys=[name], args=[most, milliseconds(window)])
        return Allowance(is_admitted=bool(is_admitted), most=most, left=left, next_in=timedelta(microseconds=wait))
