"""Web search as each provider speaks it: what is asked, and what of the answer is a result. No connection is made here."""

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol, TypeVar
from urllib.parse import urlsplit

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_URL_CHARS = 1_500
MAX_TITLE_CHARS = 200
MAX_SNIPPET_CHARS = 1_000

Fault = Literal["key", "quota", "timeout", "down", "answer", "refused"]
"""A key that is not taken, nothing left to spend, no answer in time, nobody there, no usable answer, a refused query."""

Answer = TypeVar("Answer", bound=BaseModel)

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EMPHASIS = re.compile(r"</?(?:strong|b|em|mark)>", re.IGNORECASE)


class SearchError(Exception):
    """A provider gave no results; `reason` says why, for models and people, and never holds a key."""

    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault: Fault = fault
        self.reason = reason


class SearchResult(BaseModel):
    """One result. `date` is a day (2026-05-01) where that is known, else what the provider says of its age."""

    model_config = ConfigDict(frozen=True)

    title: str
    url: str
    snippet: str = ""
    date: str | None = None
    source: str


class SearchApi(Protocol):
    """How one provider is spoken to."""

    @property
    def name(self) -> str:
        """What it is called in settings and results."""
        ...

    def request(self, query: str, count: int) -> httpx2.Request:
        """What is asked for `count` results (1 to 20)."""
        ...

    def results(self, data: bytes) -> list[SearchResult]:
        """The results of an answer with status 200.

        Raises:
            SearchError: the answer is not what the API gives.
        """
        ...

    def fault(self, status: int, data: bytes) -> SearchError:
        """What an answer with another status means."""
        ...


class _Item(BaseModel):
    """One result of any provider: the names that they use for the same things."""

    model_config = ConfigDict(extra="ignore")

    title: str | None = None
    url: str | None = None
    link: str | None = None
    content: str | None = None
    description: str | None = None
    snippet: str | None = None
    text: str | None = None
    highlights: list[str] | None = None
    date: str | None = None
    age: str | None = None
    page_age: str | None = None
    published_date: str | None = None
    published: str | None = Field(default=None, alias="publishedDate")


class _Items(BaseModel):
    results: list[_Item] = []


class _BraveAnswer(BaseModel):
    web: _Items | None = None


class _SerpAnswer(BaseModel):
    error: str | None = None
    organic_results: list[_Item] | None = None


@dataclass(frozen=True)
class SearXNG:
    """A SearXNG of one's own; its settings.yml has to name json among `search.formats`."""

    base_url: str
    name: str = "searxng"

    def request(self, query: str, count: int) -> httpx2.Request:
        """GET /search; it has no parameter for the number of results."""
        parameters = {"q": query, "format": "json", "pageno": "1"}
        return httpx2.Request("GET", f"{self.base_url.rstrip('/')}/search", params=parameters, headers=_JSON)

    def results(self, data: bytes) -> list[SearchResult]:
        """`results` with title, url, content and publishedDate."""
        return _taken(self.name, _parsed(_Items, data).results)

    def fault(self, status: int, data: bytes) -> SearchError:
        """403 is the refusal of a format, not of a key: it has none."""
        if status == 403:
            return SearchError("refused", "does not answer in JSON: its settings.yml has to allow the format json")
        return _fault(status)


@dataclass(frozen=True)
class Brave:
    """Brave Search API, web search."""

    key: str = field(repr=False)
    base_url: str = "https://api.search.brave.com"
    name: str = "brave"

    def request(self, query: str, count: int) -> httpx2.Request:
        """GET /res/v1/web/search."""
        parameters = {"q": query, "count": str(count), "text_decorations": "false", "result_filter": "web"}
        headers = {**_JSON, "X-Subscription-Token": self.key}
        return httpx2.Request("GET", f"{self.base_url}/res/v1/web/search", params=parameters, headers=headers)

    def results(self, data: bytes) -> list[SearchResult]:
        """`web.results` with title, url, description, page_age and age; no `web` where nothing was found."""
        web = _parsed(_BraveAnswer, data).web
        return _taken(self.name, web.results if web else [])

    def fault(self, status: int, data: bytes) -> SearchError:
        """A wrong key is a 422 here, told from a wrong query by its code."""
        if status == 422 and b"SUBSCRIPTION_TOKEN" in data:
            return _fault(401)
        return _fault(402 if status == 429 and b"QUOTA" in data else status)


@dataclass(frozen=True)
class Tavily:
    """Tavily Search."""

    key: str = field(repr=False)
    base_url: str = "https://api.tavily.com"
    name: str = "tavily"

    def request(self, query: str, count: int) -> httpx2.Request:
        """POST /search."""
        body = {"query": query, "max_results": count, "search_depth": "basic", "topic": "general"}
        headers = {**_JSON, "Authorization": f"Bearer {self.key}"}
        return httpx2.Request("POST", f"{self.base_url}/search", json=body, headers=headers)

    def results(self, data: bytes) -> list[SearchResult]:
        """`results` with title, url, content and, for news, published_date."""
        return _taken(self.name, _parsed(_Items, data).results)

    def fault(self, status: int, data: bytes) -> SearchError:
        """432 and 433 are its own: the limits of the plan and of pay-as-you-go."""
        return _fault(402 if status in (432, 433) else status)


@dataclass(frozen=True)
class Exa:
    """Exa search, with the passages of each page that fit the query."""

    key: str = field(repr=False)
    base_url: str = "https://api.exa.ai"
    name: str = "exa"

    def request(self, query: str, count: int) -> httpx2.Request:
        """POST /search."""
        contents = {"highlights": {"maxCharacters": MAX_SNIPPET_CHARS}}
        body = {"query": query, "numResults": count, "type": "auto", "contents": contents}
        return httpx2.Request("POST", f"{self.base_url}/search", json=body, headers={**_JSON, "x-api-key": self.key})

    def results(self, data: bytes) -> list[SearchResult]:
        """`results` with title, url, highlights and publishedDate."""
        return _taken(self.name, _parsed(_Items, data).results)

    def fault(self, status: int, data: bytes) -> SearchError:
        """402 is NO_MORE_CREDITS, as for all."""
        return _fault(status)


@dataclass(frozen=True)
class SerpApi:
    """SerpApi's Google search. It takes its key in the address only, so no address of it may be told."""

    key: str = field(repr=False)
    base_url: str = "https://serpapi.com"
    name: str = "serpapi"

    def request(self, query: str, count: int) -> httpx2.Request:
        """GET /search.json."""
        parameters = {"engine": "google", "q": query, "num": str(count), "api_key": self.key}
        return httpx2.Request("GET", f"{self.base_url}/search.json", params=parameters, headers=_JSON)

    def results(self, data: bytes) -> list[SearchResult]:
        """`organic_results` with title, link, snippet and date; that nothing was found is an `error` with status 200."""
        answer = _parsed(_SerpAnswer, data)
        if answer.error and answer.organic_results is None and "any results" not in answer.error:
            raise SearchError("answer", "could not search: it names an error of its own")
        return _taken(self.name, answer.organic_results or [])

    def fault(self, status: int, data: bytes) -> SearchError:
        """429 is both too fast and nothing left; its words tell which."""
        return _fault(402 if status == 429 and b"run out of searches" in data else status)


_JSON: Mapping[str, str] = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "theseus-worker (web_search tool)",
}


def _fault(status: int) -> SearchError:
    if status in (401, 403):
        return SearchError("key", f"does not take its key (status {status})")
    if status == 402:
        return SearchError("quota", "has nothing left to spend: its quota or credit is used up")
    if status == 429:
        return SearchError("quota", "is asked too often (status 429)")
    if status in (408, 504):
        return SearchError("timeout", f"did not answer in time (status {status})")
    if status >= 500:
        return SearchError("down", f"is out of order (status {status})")
    return SearchError("refused", f"refused the search (status {status})")


def _parsed(kind: type[Answer], data: bytes) -> Answer:
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise SearchError("answer", "gave an answer that is none of its API") from error


def _taken(source: str, items: Iterable[_Item]) -> list[SearchResult]:
    """The results that can be opened, each address once."""
    found: dict[str, SearchResult] = {}
    for item in items:
        url = (item.url or item.link or "").strip()
        if not _is_web(url) or url in found:
            continue
        text = item.snippet or item.content or item.description or " … ".join(item.highlights or []) or item.text or ""
        date = item.published or item.published_date or item.page_age or item.date or item.age
        found[url] = SearchResult(
            title=plain(item.title or url, MAX_TITLE_CHARS),
            url=url,
            snippet=plain(text, MAX_SNIPPET_CHARS),
            date=day(date),
            source=source,
        )
    return list(found.values())


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and len(url) <= MAX_URL_CHARS


def plain(text: str, most: int) -> str:
    """Text on one line, without emphasis and entities, cut to a length."""
    line = " ".join(html.unescape(_EMPHASIS.sub("", text)).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def day(told: str | None) -> str | None:
    """The day that a date of any usual form names; short other words ("2 days ago") as they are."""
    if not told:
        return None
    found = _ISO_DATE.match(told)
    if found:
        return found[0]
    try:
        return parsedate_to_datetime(told).astimezone(UTC).date().isoformat()
    except (ValueError, TypeError, OverflowError):
        return plain(told, 40)
