"""One researcher of the scripted model: it searches, opens what the search gives, follows links, and notes what it sees.

It knows a planted sentence when it sees one, and only then: what a search does not find, a page does not show or a tool
refuses, it does not know. It also tries what must not be admitted: a quote that stands nowhere, a claim that its quote does
not show, a query that was asked before.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.corpus import Corpus
from evaluation.truth import Fact, Page, PageKind, PlantedFacet, PlantedQuestion
from theseus.activities.llm.scripted.script import Asked, Reply, ScriptedCall

MOST_CALLS = 10
"""Searches and pages of one researcher: a deep research allows 12 calls, and two are for notes."""
MOST_OPENED_LATER = 3
MOST_ITEMS = 8
LATER = "old registers, archive records, keepers and lists:"
"""What a second search for the same thing adds."""
FALSE_QUOTE = "This sentence stands on no page of the whole web, whoever may look for it."
SEARCHED = (PageKind.FACTS, PageKind.NEAR, PageKind.GONE, PageKind.DEAD_END)
SEARCHED_LATER = (PageKind.ECHO, PageKind.DEAD_END)

_FACET = re.compile(r"^- ([A-Za-z0-9_-]+): ", re.MULTILINE)
_SOURCE = re.compile(r"^Source (s-[0-9a-f]{8})$", re.MULTILINE)
_NOTED = re.compile(r"^\d+\. (?:not )?admitted", re.MULTILINE)


@dataclass(frozen=True)
class _Errand:
    """What one researcher is told: its question, the facets that it may note, what is known already, and if it is the first."""

    question: PlantedQuestion
    facets: tuple[PlantedFacet, ...]
    known: str
    is_first: bool


def next_step(asked: Asked, corpus: Corpus) -> Reply:
    """What the researcher says next in its conversation."""
    told = next(text for role, text in asked.messages if role == "user")
    errand = _errand(told, corpus)
    seen = [text for role, text in asked.messages if role == "tool"]
    if errand is None or asked.tool_choice == "none" or not asked.tools or any(map(_NOTED.search, seen)):
        return _digest(errand, seen)
    if not seen:
        return Reply(tool_calls=tuple(_searches(errand, corpus)))
    if asked.turn == 1:
        wanted = _worth_opening(errand, seen, corpus)
    else:
        wanted = _copies(errand, seen, corpus) if errand.is_first and asked.turn == 2 else []
        wanted += [] if errand.is_first else _leads(errand, seen, corpus)
    if wanted:
        return Reply(tool_calls=tuple(_call("web_fetch", url=page.url) for page in wanted))
    items = list(_items(errand, seen, corpus))
    if not items:
        return _digest(errand, seen)
    parts = [items[start : start + MOST_ITEMS] for start in range(0, len(items), MOST_ITEMS)]
    return Reply(tool_calls=tuple(_call("note_evidence", items=part) for part in parts))


def _errand(told: str, corpus: Corpus) -> _Errand | None:
    question = next((each for each in corpus.questions if f"Your question:\n{each.text}" in told), None)
    if question is None:
        return None
    listed = told.partition("Facets to note evidence for:\n")[2].partition("\n\n")[0]
    names = _FACET.findall(listed)
    facets = tuple(facet for facet in question.facets if facet.id in names)
    is_first = f"Your question:\n{question.text}\n\n" in told
    return _Errand(question, facets, told.partition("Known already:\n")[2], is_first)


def _searches(errand: _Errand, corpus: Corpus) -> Iterator[ScriptedCall]:
    for facet in errand.facets:
        query = facet.text if errand.is_first else f"{LATER} {facet.text}"
        yield _call("web_search", query=query)
    if errand.is_first and errand.question is corpus.questions[0]:
        yield _call("web_search", query=" ".join(reversed(errand.facets[0].text.split())))


def _worth_opening(errand: _Errand, seen: Sequence[str], corpus: Corpus) -> list[Page]:
    """Results that are about the question: those with facts first; in later rounds those that lead on."""
    # of two searches that say the same, which one is refused is a race: the order of what they give must not show it
    found = set(_results(seen))
    mine = [page for page in corpus.pages if page.question == errand.question.id and page.url in found]
    if errand.is_first:
        ranked = [page for kind in SEARCHED for page in mine if page.kind is kind]
        return ranked[: MOST_CALLS - len(seen)]
    leading = [page for page in mine if page.links]
    rest = [page for kind in SEARCHED_LATER for page in mine if page.kind is kind and not page.links]
    return [*leading, *rest][:MOST_OPENED_LATER]


def _results(seen: Sequence[str]) -> list[str]:
    """Addresses that searches gave, the first of each search first."""
    lists: list[list[str]] = []
    for text in seen:
        try:
            found = json.loads(text)
        except ValueError:
            continue
        lists.append([one["url"] for one in found.get("results", [])])
    longest = max(map(len, lists), default=0)
    return list(dict.fromkeys(urls[place] for place in range(longest) for urls in lists if place < len(urls)))


def _copies(errand: _Errand, seen: Sequence[str], corpus: Corpus) -> list[Page]:
    """Results that have the text of an opened page: opened after it, so that it is known which one came first."""
    pages = [page for url in _results(seen) if (page := corpus.page(url)) is not None]
    return [page for page in pages if page.kind is PageKind.COPY and page.question == errand.question.id]


def _leads(errand: _Errand, seen: Sequence[str], corpus: Corpus) -> list[Page]:
    """Pages that opened pages lead to and that were not opened yet."""
    whole = "\n".join(seen)
    return [
        page
        for page in corpus.pages
        if page.kind is PageKind.LINKED
        and page.question == errand.question.id
        and page.url in whole
        and f"URL: {page.url}\n" not in whole
    ]


def _items(errand: _Errand, seen: Sequence[str], corpus: Corpus) -> Iterator[dict[str, str]]:
    names = {facet.id for facet in errand.facets}
    noted: list[tuple[str, Fact]] = []
    for text in seen:
        source = _SOURCE.search(text)
        if source is None:
            continue
        noted += [
            (source[1], fact)
            for fact in corpus.facts
            if fact.question == errand.question.id
            and fact.facet in names
            and fact.sentence in text
            and f"{fact.claim} ({fact.domain})" not in errand.known
        ]
    for source_id, fact in dict.fromkeys(noted):
        yield {"source_id": source_id, "quote": fact.sentence, "claim": fact.claim, "facet": fact.facet}
    if noted and errand.is_first:
        source_id, fact = noted[0]
        yield {"source_id": source_id, "quote": FALSE_QUOTE, "claim": fact.claim, "facet": fact.facet}
        yield {"source_id": source_id, "quote": fact.sentence, "claim": f"{fact.swapped}.", "facet": fact.facet}


def _digest(errand: _Errand | None, seen: Sequence[str]) -> Reply:
    about = errand.question.text if errand is not None else "A question that nobody planted."
    admitted = sum(len(re.findall(r"^\d+\. admitted", text, re.MULTILINE)) for text in seen)
    return Reply(text=f"{about} {admitted} findings were noted." if admitted else f"{about} Nothing was found.")


def _call(name: str, **arguments: object) -> ScriptedCall:
    return ScriptedCall.model_validate({"name": name, "arguments": arguments})
