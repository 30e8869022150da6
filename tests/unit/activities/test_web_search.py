"""web_search asks each provider exactly as its API wants it, never tells a key, and goes on to the next one, saying so."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from theseus.activities.tools.egress import Egress
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.activities.tools.search_apis import Brave, Exa, SearchApi, SearXNG, SerpApi, Tavily, day
from theseus.activities.tools.searching import SearchSetup, search_providers
from theseus.activities.tools.web_search import SNIPPETS_CHARS, SearchProvider, WebProvider, cleaned, search_tools
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect
from theseus.stores.memory import MemoryEvidence

KEY = "sk-provider-key-1234567890"
CONTEXT = ToolContext(SessionKey(session_id="s"), "task-1", "task-1:1:c")
JSON = "Content-Type: application/json"


@dataclass
class Asked:
    """One request, as it came over the wire."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass
class Wire:
    """A provider on this machine: what it answers, and what it was asked."""

    url: str = ""
    status: int = 200
    answer: bytes = b"{}"
    extra: str = JSON
    wait: float = 0.0
    asked: list[Asked] = field(default_factory=list[Asked])

    def gives(self, answer: object, status: int = 200) -> None:
        """Sets what is answered from now on."""
        self.answer, self.status = json.dumps(answer).encode(), status


@asynccontextmanager
async def serving() -> AsyncGenerator[Wire]:
    wire = Wire()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            wire.asked.append(await _request(reader))
            await asyncio.sleep(wire.wait)
            head = f"HTTP/1.1 {wire.status} X\r\nContent-Length: {len(wire.answer)}\r\n{wire.extra}\r\n\r\n"
            writer.write(head.encode() + wire.answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield wire


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    return Asked(method, parts.path, parse_qs(parts.query), headers, json.loads(body) if body else None)


@pytest.fixture
async def wire() -> AsyncGenerator[Wire]:
    async with serving() as made:
        yield made


def provider(api: SearchApi, seconds: float = 5) -> WebProvider:
    return WebProvider(api, Egress(["127.0.0.1"]), timedelta(seconds=seconds))


async def search(*providers: SearchProvider, query: str = "durable agents", **more: object) -> Outcome:
    call = ToolCall(id="c", name="web_search", arguments=json.dumps({"query": query, **more}))
    return await Registry(search_tools(providers, MemoryEvidence())).run(call, CONTEXT)


def found(outcome: Outcome) -> Any:
    assert not outcome.is_error, outcome.text
    return json.loads(outcome.text)


def api(name: str, url: str) -> SearchApi:
    if name == "searxng":
        return SearXNG(f"{url}/")
    return {"brave": Brave, "tavily": Tavily, "exa": Exa, "serpapi": SerpApi}[name](KEY, url)


NAMES = ("searxng", "brave", "tavily", "exa", "serpapi")
EMPTY: Mapping[str, object] = {
    "searxng": {"query": "q", "number_of_results": 0, "results": [], "answers": [], "unresponsive_engines": []},
    "brave": {"type": "search", "query": {"original": "q"}},
    "tavily": {"query": "q", "results": [], "response_time": 0.5},
    "exa": {"requestId": "r", "results": []},
    "serpapi": {
        "search_metadata": {"status": "Success"},
        "error": "Google hasn't returned any results for this query.",
    },
}


async def test_searxng(wire: Wire) -> None:
    one = {"url": "https://a.example/1", "title": "One", "content": "First &amp; best", "engine": "bing", "score": 1.0}
    dated = {"url": "https://a.example/2", "title": "Two", "content": "", "publishedDate": "2026-05-01T10:00:00"}
    wire.gives({"query": "q", "number_of_results": 2, "results": [one, {**dated, "extra": None}]})
    answer = found(await search(provider(api("searxng", wire.url)), count=5))
    asked = wire.asked[0]
    assert (asked.method, asked.path) == ("GET", "/search")
    assert asked.query == {"q": ["durable agents"], "format": ["json"], "pageno": ["1"]}
    assert asked.headers["accept"] == "application/json"
    assert answer["provider"] == "searxng"
    assert answer["results"] == [
        {"title": "One", "url": "https://a.example/1", "snippet": "First & best", "source": "searxng"},
        {"title": "Two", "url": "https://a.example/2", "snippet": "", "date": "2026-05-01", "source": "searxng"},
    ]


async def test_brave(wire: Wire) -> None:
    one = {
        "title": "One",
        "url": "https://a.example/1",
        "description": "The <strong>first</strong>",
        "age": "2 days ago",
    }
    dated = {"title": "Two", "url": "https://a.example/2", "description": "d", "page_age": "2026-05-01T00:00:00"}
    wire.gives({"type": "search", "web": {"type": "search", "results": [one, dated]}})
    answer = found(await search(provider(api("brave", wire.url)), count=7))
    asked = wire.asked[0]
    assert (asked.method, asked.path) == ("GET", "/res/v1/web/search")
    assert asked.query["q"] == ["durable agents"]
    assert asked.query["count"] == ["7"]
    assert asked.headers["x-subscription-token"] == KEY
    assert [(r["snippet"], r["date"]) for r in answer["results"]] == [("The first", "2 days ago"), ("d", "2026-05-01")]


async def test_tavily(wire: Wire) -> None:
    one = {"title": "One", "url": "https://a.example/1", "content": "c", "score": 0.9, "raw_content": None}
    wire.gives({"query": "q", "results": [{**one, "published_date": "Fri, 01 May 2026 08:00:00 GMT"}]})
    answer = found(await search(provider(api("tavily", wire.url)), count=3))
    asked = wire.asked[0]
    assert (asked.method, asked.path, asked.headers["authorization"]) == ("POST", "/search", f"Bearer {KEY}")
    assert (asked.body["query"], asked.body["max_results"]) == ("durable agents", 3)
    assert answer["results"] == [
        {"title": "One", "url": "https://a.example/1", "snippet": "c", "date": "2026-05-01", "source": "tavily"}
    ]


async def test_exa(wire: Wire) -> None:
    one = {"id": "https://a.example/1", "title": None, "url": "https://a.example/1", "highlights": ["a", "b"]}
    wire.gives({"requestId": "r", "results": [{**one, "publishedDate": "2026-05-01T01:36:32.547Z", "author": None}]})
    answer = found(await search(provider(api("exa", wire.url)), count=3))
    asked = wire.asked[0]
    assert (asked.method, asked.path, asked.headers["x-api-key"]) == ("POST", "/search", KEY)
    assert (asked.body["query"], asked.body["numResults"]) == ("durable agents", 3)
    assert "highlights" in asked.body["contents"]
    url = "https://a.example/1"
    assert answer["results"] == [{"title": url, "url": url, "snippet": "a … b", "date": "2026-05-01", "source": "exa"}]


async def test_serpapi(wire: Wire) -> None:
    one = {"position": 1, "title": "One", "link": "https://a.example/1", "snippet": "s", "date": "May 1, 2026"}
    wire.gives({"search_metadata": {"status": "Success"}, "organic_results": [one]})
    answer = found(await search(provider(api("serpapi", wire.url)), count=3))
    asked = wire.asked[0]
    assert (asked.method, asked.path) == ("GET", "/search.json")
    assert asked.query == {"engine": ["google"], "q": ["durable agents"], "num": ["3"], "api_key": [KEY]}
    assert answer["results"][0] == {
        **{"title": "One", "url": "https://a.example/1", "snippet": "s", "date": "May 1, 2026", "source": "serpapi"}
    }


@pytest.mark.parametrize("name", NAMES)
async def test_that_nothing_was_found_is_an_answer(wire: Wire, name: str) -> None:
    wire.gives(EMPTY[name])
    answer = found(await search(provider(api(name, wire.url))))
    assert (answer["results"], answer["note"]) == ([], "Nothing was found.")


REFUSALS: dict[str, tuple[str, int, object, str]] = {
    # provider, status, body (with the key in it, as a careless server would), what the model is told
    "searxng without JSON": ("searxng", 403, {}, "has to allow the format json"),
    "searxng, too often": ("searxng", 429, {}, "asked too often"),
    "brave, wrong key": ("brave", 422, {"error": {"code": "SUBSCRIPTION_TOKEN_INVALID", "detail": KEY}}, "its key"),
    "brave, wrong query": ("brave", 422, {"error": {"code": "VALIDATION", "detail": KEY}}, "refused the search"),
    "brave, too often": ("brave", 429, {"error": {"code": "RATE_LIMITED"}}, "asked too often"),
    "brave, used up": ("brave", 429, {"error": {"code": "QUOTA_LIMITED"}}, "used up"),
    "tavily, wrong key": ("tavily", 401, {"detail": {"error": f"Unauthorized: invalid API key {KEY}"}}, "its key"),
    "tavily, plan used up": ("tavily", 432, {"detail": {"error": "This request exceeds your plan's limit"}}, "used up"),
    "tavily, pay-as-you-go used up": ("tavily", 433, {"detail": {"error": "limit"}}, "used up"),
    "exa, wrong key": (
        "exa",
        401,
        {"requestId": "r", "error": f"Invalid API key {KEY}", "tag": "INVALID_API_KEY"},
        "its key",
    ),
    "exa, used up": ("exa", 402, {"requestId": "r", "error": "credits", "tag": "NO_MORE_CREDITS"}, "used up"),
    "serpapi, wrong key": (
        "serpapi",
        401,
        {"error": f"Invalid API key. Your API key should be here: {KEY}"},
        "its key",
    ),
    "serpapi, used up": ("serpapi", 429, {"error": "Your account has run out of searches."}, "used up"),
    "serpapi, too fast": ("serpapi", 429, {"error": "hourly throughput limit"}, "asked too often"),
    "serpapi, an error in an answer": (
        "serpapi",
        200,
        {"error": f"Unsupported parameter near {KEY}"},
        "an error of its own",
    ),
    "out of order": ("tavily", 503, {}, "out of order (status 503)"),
    "no JSON": ("brave", 200, "x", "none of its API"),
    "another shape": ("exa", 200, {"results": {"a": 1}}, "none of its API"),
    "a redirect": ("serpapi", 302, {}, "refused the search (status 302)"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_is_told_in_words_and_never_with_the_key(
    wire: Wire, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    name, status, body, told = REFUSALS[case]
    wire.gives(body, status)
    with caplog.at_level("WARNING"):
        outcome = await search(provider(api(name, wire.url)))
    assert outcome.is_error
    assert outcome.text.startswith(f"The search failed: {name} ")
    assert told in outcome.text
    assert KEY not in outcome.text + caplog.text


@pytest.mark.parametrize("name", NAMES)
async def test_silence_and_absence_are_told_and_never_with_the_key(wire: Wire, name: str) -> None:
    wire.wait = 5
    outcome = await search(provider(api(name, wire.url), seconds=0.2))
    assert outcome.text.startswith(f"The search failed: {name} did not answer within 0.2 s.")
    absent = await search(provider(api(name, "http://127.0.0.1:1")))
    assert "cannot be reached (ConnectError)" in absent.text
    refused = await search(WebProvider(api(name, "http://10.0.0.1"), Egress()))
    assert "cannot be connected to" in refused.text
    for each in (outcome, absent, refused):
        assert each.is_error and KEY not in each.text and "://" not in each.text


async def test_an_endless_answer_is_not_read_to_its_end(wire: Wire) -> None:
    wire.answer = b"[" * 6_000_000
    assert "too long" in (await search(provider(api("brave", wire.url)))).text


async def test_the_next_provider_answers_when_one_fails_and_the_result_says_so() -> None:
    async with serving() as first, serving() as second, serving() as third, serving() as last:
        first.gives({"detail": {"error": KEY}}, 401)
        second.wait = 5
        third.gives({"web": {"results": [{"title": "One", "url": "https://a.example", "description": "d"}]}})
        answer = found(
            await search(
                provider(api("tavily", first.url)),
                provider(api("exa", second.url), seconds=0.2),
                provider(api("brave", third.url)),
                provider(api("serpapi", last.url)),
            )
        )
    assert answer["provider"] == "brave"
    assert answer["asked_before"] == [
        {"provider": "tavily", "why": "does not take its key (status 401)"},
        {"provider": "exa", "why": "did not answer within 0.2 s"},
    ]
    assert [len(one.asked) for one in (first, second, third, last)] == [1, 1, 1, 0], "each once, the last not at all"


async def test_when_all_fail_each_reason_is_told() -> None:
    async with serving() as first, serving() as second:
        first.gives({}, 500)
        second.gives({}, 402)
        outcome = await search(provider(api("brave", first.url)), provider(api("exa", second.url)))
    assert outcome.is_error
    assert "brave is out of order (status 500); exa has nothing left to spend" in outcome.text


async def test_addresses_that_cannot_be_opened_and_repetitions_are_left_out(wire: Wire) -> None:
    urls = ["javascript:alert(1)", "file:///etc/passwd", "", "https://[", "https://a.example/" + "x" * 2000]
    urls += ["https://a.example", "https://a.example"]
    wire.gives({"results": [{"title": "t", "url": url, "content": "c"} for url in urls]})
    assert [one["url"] for one in found(await search(provider(api("tavily", wire.url))))["results"]] == [
        "https://a.example"
    ]


async def test_what_is_given_stays_short(wire: Wire) -> None:
    many = [{"title": "t" * 999, "url": f"https://a.example/{n}", "content": "word " * 9000} for n in range(60)]
    wire.gives({"results": many})
    outcome = await search(provider(api("searxng", wire.url)), count=20)
    answer = found(outcome)
    assert len(answer["results"]) == 20
    assert sum(len(one["snippet"]) for one in answer["results"]) <= SNIPPETS_CHARS
    assert len(outcome.text) < 12_000, "so that it is shown whole"
    assert len(found(await search(provider(api("searxng", wire.url)), count=1))["results"]) == 1


@pytest.mark.parametrize("count", [0, 21, -1])
async def test_counts_that_cannot_be_are_refused(wire: Wire, count: int) -> None:
    assert "cannot be used" in (await search(provider(api("brave", wire.url)), count=count)).text
    assert wire.asked == []


QUERIES = {
    "spaces and lines": ("  a\n\tb   c ", "a b c"),
    "invisible characters": ("a\u200bb\ufeff \u202ec", "ab c"),
    "control characters": ("a\x00\x1bb", "a b"),
    "composed letters": ("u\u0308ber", "über"),
    "operators": ('site:example.org "a b" -c', 'site:example.org "a b" -c'),
    "many words": (" ".join(map(str, range(80))), " ".join(map(str, range(50)))),
    "many characters": (" ".join(["x" * 99] * 9), " ".join(["x" * 99] * 4)),
    "one long word": ("x" * 999, "x" * 400),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_cleaned(name: str) -> None:
    query, expected = QUERIES[name]
    assert cleaned(query) == expected


async def test_a_query_without_a_word_asks_nobody(wire: Wire) -> None:
    assert "no word" in (await search(provider(api("brave", wire.url)), query=" \u200b\n")).text
    assert wire.asked == []


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-05-01T00:00:00.000Z", "2026-05-01"),
        ("Fri, 01 May 2026 23:30:00 -0500", "2026-05-02"),
        ("3 hours ago", "3 hours ago"),
        ("Fri, 31 Dec 9999 23:59:59 -0100", "Fri, 31 Dec 9999 23:59:59 -0100"),
        ("Fri, 31 Dec 99999999999999999999 00:00:00 GMT", "Fri, 31 Dec 99999999999999999999 00:00:\u2026"),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_a_day_where_it_can_be(told: str | None, expected: str | None) -> None:
    assert day(told) == expected


# which providers there are


def names(**given: Any) -> list[str]:
    return [one.name for one in search_providers(SearchSetup(**given), Extraction())]


def test_without_a_provider_the_tool_is_not_there() -> None:
    assert names() == []
    assert search_tools([], MemoryEvidence()) == []
    assert names(keys={"brave": ""}) == []


def test_providers_are_those_with_a_key_an_address_or_a_folder_in_a_fixed_order_or_the_one_asked_for(
    tmp_path: Path,
) -> None:
    keys = {"serpapi": "k", "exa": "k", "tavily": "k", "brave": "k"}
    everything = {"keys": keys, "searxng_url": "http://searxng:8080", "corpus_dir": tmp_path}
    assert names(**everything) == ["searxng", "brave", "tavily", "exa", "serpapi", "corpus"]
    assert names(**everything, order=("corpus", "exa")) == ["corpus", "exa"]
    assert names(keys={"exa": "k"}) == ["exa"]


def test_a_provider_that_is_asked_for_but_not_configured_is_an_error() -> None:
    with pytest.raises(ValueError, match="tavily is named but not configured"):
        names(keys={"brave": "k"}, order=("tavily", "brave"))
    with pytest.raises(ValueError, match="no web address"):
        names(searxng_url="searxng:8080")


async def test_a_private_searxng_may_be_asked_since_its_owner_named_it_and_keys_are_shown_nowhere(wire: Wire) -> None:
    wire.gives(EMPTY["searxng"])
    setup = SearchSetup(keys={"brave": KEY}, searxng_url=wire.url, order=("searxng", "brave"))
    first, second = search_providers(setup, Extraction())
    assert (await first.search("q", 3)).results == ()
    assert KEY not in repr(setup) + repr(second) + repr(Brave(KEY)) + repr(vars(second))


def test_a_search_reads_only() -> None:
    tools = search_tools([provider(Brave(KEY))], MemoryEvidence())
    assert [(tool.spec.name, tool.spec.effect) for tool in tools] == [("web_search", Effect.READ)]
