"""A researcher's hands: the real tools over a real web server on loopback and a folder of documents."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from tests.support.wire import serving
from theseus.activities.tools import built_in_tools
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.evidence import Notes
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.activities.tools.searching import SearchSetup
from theseus.activities.tools.web_fetch import Fetcher, Pages
from theseus.activities.tools.web_site import site_tools
from theseus.contracts.messages import ToolCall
from theseus.contracts.research import ResearchCall
from theseus.contracts.session import SessionKey
from theseus.domain.research.sources import source_id
from theseus.stores.files import Workspaces
from theseus.stores.memory import MemoryArtifacts, MemoryEvidence
from theseus.stores.ports import EvidenceStore

CALL = ResearchCall(
    question="bridge", facets=("length", "opened"), about="How long is the bridge of Varn? length in metres"
)


@dataclass
class Researcher:
    """Calls tools, for a sub-question unless said otherwise."""

    registry: Registry
    url: str
    folder: Path
    evidence: EvidenceStore
    calls: int = 0

    async def __call__(self, name: str, research: ResearchCall | None = CALL, **arguments: Any) -> Outcome:
        """One call, as a workflow makes it."""
        self.calls += 1
        key = f"task-1/agent/1:{self.calls}:c"
        context = ToolContext(SessionKey(session_id="s"), "task-1", key, agent="agent/1", research=research)
        return await self.registry.run(ToolCall(id="c", name=name, arguments=json.dumps(arguments)), context)

    async def note(self, url: str, quote: str, claim: str, facet: str = "length") -> Outcome:
        """Notes one piece of evidence."""
        item = {"source_id": source_id(url), "quote": quote, "claim": claim, "facet": facet}
        return await self("note_evidence", items=[item])

    async def has(self, url: str) -> bool:
        """Whether the page at an address was kept as a source."""
        return await self.evidence.get("task-1", source_id(url)) is not None


@asynccontextmanager
async def researching(
    app: Starlette, place: Path, evidence: EvidenceStore | None = None, search: SearchSetup | None = None
) -> AsyncGenerator[Researcher]:
    """All tools over an application and the folder `documents` of a place."""
    folder, kept = place / "documents", evidence or MemoryEvidence()
    folder.mkdir(exist_ok=True)
    async with serving(app) as url:
        tools = built_in_tools(
            artifacts=MemoryArtifacts(),
            evidence=kept,
            workspaces=Workspaces(place / "files", quota_bytes=1000),
            fetcher=Fetcher(Egress(["127.0.0.1"]), 10_000_000),
            search=search or SearchSetup(corpus_dir=folder, indexes=place / "index"),
        )
        yield Researcher(Registry(tools), url, folder, kept)


def in_a_hurry(researcher: Researcher, reading: timedelta) -> Researcher:
    """The same researcher, whose visits to websites end sooner."""
    pages = Pages(Fetcher(Egress(["127.0.0.1"]), 10_000_000), Extraction())
    registry = Registry(site_tools(pages, Notes(researcher.evidence), reading))
    return Researcher(registry, researcher.url, researcher.folder, researcher.evidence)
