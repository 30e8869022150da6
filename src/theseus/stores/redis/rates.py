"""Token buckets on Redis: a hash a provider, and a key for each call that keeps a place in the line.

A bucket counts up only: `sold` is all that was ever drawn, `credit` all that ever flowed in or came back. A call's place
is what was sold before it (kept with its own draw); it may go when the credit has reached its place. So what comes back
brings all who wait nearer.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

from redis.asyncio import Redis

from theseus.contracts.rates import Admission, Draw
from theseus.stores.redis.connection import as_bytes, key_of, milliseconds, reaching
from theseus.stores.rules import PLACE_GRACE

BUCKETS_TTL = timedelta(days=1)

# the server's clock, so that workers whose clocks differ share one bucket
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local soon, patience, grace = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local kept = redis.call('GET', KEYS[2])
local places = kept and cjson.decode(kept) or {}
local buckets, wait = {}, 0
for i = 5, #ARGV, 4 do
  local b = {name = ARGV[i], amount = tonumber(ARGV[i + 3])}
  local rate, burst = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local was = redis.call('HMGET', KEYS[1], b.name .. ':sold', b.name .. ':credit', b.name .. ':at')
  b.sold = tonumber(was[1] or 0)
  local filled = tonumber(was[2] or burst) + math.max(0, now - tonumber(was[3] or now)) * rate
  local place = places[b.name] or {b.sold, b.amount}
  b.credit = math.min(filled + place[2] - b.amount, b.sold + burst)
  wait = math.max(wait, (place[1] + math.min(b.amount, burst) - b.credit) / rate)
  places[b.name] = {place[1], b.amount}
  buckets[#buckets + 1] = b
end
local goes = wait <= soon
local joins = not kept and (goes or wait <= patience)
for _, b in ipairs(buckets) do
  if joins then b.sold = b.sold + b.amount end
  redis.call('HSET', KEYS[1], b.name .. ':sold', string.format('%.17g', b.sold),
    b.name .. ':credit', string.format('%.17g', b.credit), b.name .. ':at', string.format('%.17g', now))
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local state = 'none'
if goes then
  state = 'go'
  redis.call('DEL', KEYS[2])
elseif kept or joins then
  state = 'line'
  redis.call('SET', KEYS[2], cjson.encode(places), 'PX', math.ceil((wait + grace) * 1000))
end
return cjson.encode({state = state, wait = wait})
"""


class RedisRates:
    """Buckets that are full again when nobody drew from them for a day."""

    def __init__(self, client: Redis, *, prefix: str = "theseus") -> None:
        self._client = client
        self._prefix = prefix
        self._take = client.register_script(_TAKE)

    async def take(
        self, provider: str, call: str, draws: Sequence[Draw], *, soon: timedelta, patience: timedelta
    ) -> Admission:
        """See `RateStore.take`."""
        buckets = self._key(provider)
        args: list[str | float] = [soon.total_seconds(), patience.total_seconds(), PLACE_GRACE.total_seconds()]
        args.append(milliseconds(BUCKETS_TTL))
        for draw in draws:
            args += [draw.bucket, draw.per_second, draw.burst, draw.amount]
        with reaching(self._client):
            answer = await self._take(keys=[buckets, f"{buckets}:place:{call}"], args=args)
        told = json.loads(as_bytes(answer))
        return Admission(state=told["state"], wait=timedelta(seconds=told["wait"]))

    async def give_back(self, provider: str, amounts: Mapping[str, float]) -> None:
        """See `RateStore.give_back`."""
        name = self._key(provider)
        with reaching(self._client):
            async with self._client.pipeline(transaction=True) as batch:
                for bucket, amount in amounts.items():
                    batch.hincrbyfloat(name, f"{bucket}:credit", amount)
                batch.pexpire(name, milliseconds(BUCKETS_TTL))
                await batch.execute()

    def _key(self, provider: str) -> str:
        return key_of(self._prefix, "rates", (provider,))
