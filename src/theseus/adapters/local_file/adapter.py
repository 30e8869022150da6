"""The adapter `local_file`: brings the tools of all roles that need a vendor, over files of a folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from theseus.activities.tools.registry import Tool
from theseus.activities.vendors.port import AdapterError
from theseus.adapters.local_file.ads import ads_tools
from theseus.adapters.local_file.news import news_tools
from theseus.adapters.local_file.rows import Folder
from theseus.adapters.local_file.tables import table_tools

VARIABLE = "THESEUS_ADAPTER_DATA"


class LocalFile:
    """Vendors' data from a folder.

    Args:
        folder: has `ads`, `news` (.json or .csv) and a folder `tables` of such files; each may be missing.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    @classmethod
    def create(cls, environ: Mapping[str, str]) -> "LocalFile | None":
        """See `Adapter.create`: THESEUS_ADAPTER_DATA names the folder."""
        named = environ.get(VARIABLE, "").strip()
        if not named:
            return None
        path = Path(named)
        if not path.is_dir():
            raise AdapterError(f"{VARIABLE}={named}: there is no such folder")
        return cls(Folder(path.absolute()))

    def tools(self) -> Mapping[str, Sequence[Tool]]:
        """See `Adapter.tools`: those of what the folder has when the worker starts."""
        found: dict[str, Sequence[Tool]] = {}
        if self._folder.has("ads"):
            found["ads_research"] = ads_tools(self._folder)
        if self._folder.has("news"):
            found["financial_news"] = news_tools(self._folder)
        if self._folder.tables():
            found["data_analytics"] = table_tools(self._folder)
        return found

    async def aclose(self) -> None:
        """Nothing is held open."""
