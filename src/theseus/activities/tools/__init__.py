"""Tools that agents call. `built_in_tools` lists those that every worker has."""

from collections.abc import Sequence

from theseus.activities.tools.artifacts import artifact_tools
from theseus.activities.tools.calculator import calculator_tools
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.files import WorkspaceStore, file_tools
from theseus.activities.tools.messages import message_tools
from theseus.activities.tools.python_executor import python_tools
from theseus.activities.tools.registry import Tool
from theseus.activities.tools.searching import SearchSetup, search_providers
from theseus.activities.tools.web_fetch import Fetcher, web_tools
from theseus.activities.tools.web_search import search_tools
from theseus.stores.ports import ArtifactStore


def built_in_tools(
    *,
    artifacts: ArtifactStore,
    workspaces: WorkspaceStore,
    fetch_allow: Sequence[str] = (),
    fetch_max_bytes: int = 10 * 1024 * 1024,
    workspace_failures: tuple[type[Exception], ...] = (),
    search: SearchSetup | None = None,
) -> list[Tool]:
    """Every tool that Theseus brings, but for bash, which a worker has to turn on.

    web_search is there with a search provider only, python_executor with the extra `sandbox` only.

    Args:
        artifacts: where long texts are kept.
        workspaces: where the files of sessions are.
        fetch_allow: hosts and networks that web_fetch may reach though they are not public; see `Egress`.
        fetch_max_bytes: so much of a page web_fetch takes.
        workspace_failures: what the workspaces raise with a message that is meant for the model.
        search: the search providers that there are; none when absent.

    Raises:
        ValueError: an entry of `fetch_allow` is no host, address or network, or `search` cannot be.
    """
    extraction = Extraction()
    return [
        *calculator_tools(),
        *python_tools(),
        *search_tools(search_providers(search, extraction) if search else []),
        *web_tools(Fetcher(Egress(fetch_allow), fetch_max_bytes), extraction),
        *artifact_tools(artifacts),
        *file_tools(workspaces, workspace_failures),
        *message_tools(),
    ]
