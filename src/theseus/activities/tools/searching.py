"""Which search providers a worker has: those that it has a key, an address or a folder for, in the order it wants."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from theseus.activities.tools.corpus import Corpus
from theseus.activities.tools.egress import Egress
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.search_apis import Brave, Exa, SearchApi, SearXNG, SerpApi, Tavily
from theseus.activities.tools.web_search import SearchProvider, WebProvider

_BY_KEY: Mapping[str, Callable[[str], SearchApi]] = {"brave": Brave, "tavily": Tavily, "exa": Exa, "serpapi": SerpApi}
ORDER = ("searxng", *_BY_KEY, "corpus")
"""The order without a setting: what costs nothing first; a corpus only where nothing else is."""


@dataclass(frozen=True)
class SearchSetup:
    """What is configured: a key by provider's name, the address of a SearXNG, a folder of documents and one for its index.

    `order` names providers to have only these, in this order.
    """

    keys: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    searxng_url: str | None = None
    corpus_dir: Path | None = None
    indexes: Path = Path()
    order: Sequence[str] = ()


def documents_of(providers: Sequence[SearchProvider]) -> Corpus | None:
    """The folder of documents among the providers, where there is one."""
    return next((each for each in providers if isinstance(each, Corpus)), None)


def search_providers(setup: SearchSetup, extraction: Extraction) -> list[SearchProvider]:
    """The providers that can be asked, the first one first.

    Raises:
        ValueError: `order` names one that is not configured, or `searxng_url` is no web address.
    """
    found: dict[str, SearchProvider] = {}
    for name, made in _BY_KEY.items():
        if setup.keys.get(name):
            found[name] = WebProvider(made(setup.keys[name]), Egress())
    if setup.searxng_url:
        found["searxng"] = WebProvider(SearXNG(setup.searxng_url), Egress([_place(setup.searxng_url)]))
    if setup.corpus_dir is not None:
        found["corpus"] = Corpus(setup.corpus_dir, setup.indexes, extraction)
    missing = [name for name in setup.order if name not in found]
    if missing:
        raise ValueError(f"{', '.join(missing)} is named but not configured")
    return [found[name] for name in setup.order or ORDER if name in found]


def _place(url: str) -> str:
    """Host and port of an address that its owner chose, and which therefore may be a private one."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url} is no web address such as http://searxng:8080")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
