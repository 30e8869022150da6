"""Tools that agents call. `built_in_tools` lists those that every worker has."""

from theseus.activities.tools.artifacts import artifact_tools
from theseus.activities.tools.calculator import calculator_tools
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.evidence import Notes, evidence_tools, picking_tools
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.files import WorkspaceStore, file_tools
from theseus.activities.tools.messages import message_tools
from theseus.activities.tools.python_executor import python_tools
from theseus.activities.tools.registry import Tool
from theseus.activities.tools.searching import SearchSetup, documents_of, search_providers
from theseus.activities.tools.web_fetch import Fetcher, Pages, web_tools
from theseus.activities.tools.web_search import search_tools
from theseus.activities.tools.web_site import site_tools
from theseus.stores.ports import ArtifactStore, EvidenceStore

MAX_PAGE_BYTES = 10 * 1024 * 1024
"""So much of a page is taken where nothing else is set."""


def built_in_tools(
    *,
    artifacts: ArtifactStore,
    evidence: EvidenceStore,
    workspaces: WorkspaceStore,
    fetcher: Fetcher | None = None,
    workspace_failures: tuple[type[Exception], ...] = (),
    search: SearchSetup | None = None,
) -> list[Tool]:
    """Every tool that Theseus brings, but for bash, which a worker has to turn on.

    web_search is there with a search provider only, python_executor with the extra `sandbox` only.

    Args:
        artifacts: where long texts are kept.
        evidence: where researchers keep what they open and ask.
        workspaces: where the files of sessions are.
        fetcher: brings pages of the web; one that reaches public addresses only when absent.
        workspace_failures: what the workspaces raise with a message that is meant for the model.
        search: the search providers that there are; none when absent.

    Raises:
        ValueError: `search` cannot be.
    """
    extraction = Extraction()
    providers = search_providers(search, extraction) if search else []
    pages = Pages(fetcher or Fetcher(Egress(), MAX_PAGE_BYTES), extraction, documents_of(providers))
    notes = Notes(evidence)
    return [
        *calculator_tools(),
        *python_tools(),
        *search_tools(providers, evidence),
        *web_tools(pages, notes),
        *site_tools(pages, notes),
        *evidence_tools(notes),
        *picking_tools(providers, pages, notes),
        *artifact_tools(artifacts),
        *file_tools(workspaces, workspace_failures),
        *message_tools(),
    ]
