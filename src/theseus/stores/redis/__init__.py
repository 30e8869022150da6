"""All stores on Redis or Valkey: what all workers, readers and restarts share."""

from theseus.stores.redis.answers import RedisAnswers
from theseus.stores.redis.artifacts import RedisArtifacts
from theseus.stores.redis.browsers import RedisBrowsers
from theseus.stores.redis.connection import connect_redis
from theseus.stores.redis.events import RedisEvents
from theseus.stores.redis.evidence import RedisEvidence
from theseus.stores.redis.memory import RedisMemory
from theseus.stores.redis.offers import RedisOffers
from theseus.stores.redis.rates import RedisRates
from theseus.stores.redis.requests import RedisRequests
from theseus.stores.redis.sessions import RedisSessions
from theseus.stores.redis.transcripts import RedisTranscripts

__all__ = [
    "RedisAnswers",
    "RedisArtifacts",
    "RedisBrowsers",
    "RedisEvents",
    "RedisEvidence",
    "RedisMemory",
    "RedisOffers",
    "RedisRates",
    "RedisRequests",
    "RedisSessions",
    "RedisTranscripts",
    "connect_redis",
]
