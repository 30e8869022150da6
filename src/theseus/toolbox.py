"""The tools of a worker: the built-in ones that its settings ask for, and those of vendors' adapters."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from theseus.activities.tools import built_in_tools
from theseus.activities.tools.bash import bash_tools
from theseus.activities.tools.contained.box import Box, ContainmentError
from theseus.activities.tools.egress import Egress, Resolve
from theseus.activities.tools.registry import Tool
from theseus.activities.tools.searching import SearchSetup
from theseus.activities.tools.web_fetch import Fetcher
from theseus.activities.vendors.loading import adapter_tools, load_adapters
from theseus.activities.vendors.port import AdapterError
from theseus.config import Settings, SettingsError
from theseus.stores.files import WorkspaceError, Workspaces
from theseus.stores.ports import Stores


async def own_tools(settings: Settings, stores: Stores, resolve: Resolve | None = None) -> list[Tool]:
    """The built-in tools that the settings ask for; `resolve` as in `working`.

    Raises:
        SettingsError: they ask for one that this worker cannot have.
    """
    workspaces = Workspaces(settings.workspaces, settings.workspace_quota_bytes)
    search = SearchSetup(
        keys=settings.search_keys,
        searxng_url=settings.searxng_url,
        corpus_dir=settings.corpus_dir,
        indexes=settings.data_dir / "corpus",
        order=settings.search_providers,
    )
    try:
        found = built_in_tools(
            artifacts=stores.artifacts,
            evidence=stores.evidence,
            workspaces=workspaces,
            fetcher=Fetcher(Egress(settings.fetch_allow, resolve=resolve), settings.fetch_max_bytes),
            workspace_failures=(WorkspaceError,),
            search=search,
        )
    except ValueError as error:
        raise SettingsError(f"a tool cannot be set up: {error}") from error
    if not settings.bash:
        return found
    box = Box()
    try:
        await box.prove()
    except ContainmentError as error:
        raise SettingsError(f"THESEUS_BASH is on, but commands cannot be contained here: {error}") from error
    return [*found, *bash_tools(box, workspaces, settings.workspace_quota_bytes, (WorkspaceError,))]


async def vendors_tools(
    settings: Settings, environ: Mapping[str, str], others: Sequence[Tool], stack: AsyncExitStack
) -> list[Tool]:
    """The tools of the vendors' adapters that are installed and configured; they are closed with the stack.

    Raises:
        SettingsError: an adapter that is asked for cannot be used.
    """
    try:
        adapters = load_adapters(settings.adapters, environ)
        for adapter in adapters.values():
            stack.push_async_callback(adapter.aclose)
        return adapter_tools(adapters, [each.spec.name for each in others])
    except AdapterError as error:
        raise SettingsError(f"an adapter cannot be used: {error}") from error
