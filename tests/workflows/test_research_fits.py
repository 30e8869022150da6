"""The result of a research fits into what Temporal keeps of it, whatever was found: what is left out of it is counted."""

from typing import Any

from tests.support.studies import RESEARCHER, WRITER, Fact, plans, question, scopes
from tests.support.study import Study
from theseus.contracts.task import TaskStatus
from theseus.domain.research.room import MOST_BYTES
from theseus.domain.research.sources import source_id

QUESTIONS = ("north", "south", "east", "west", "above", "below")
FACETS = ("one", "two", "three", "four", "five")
EACH = 20
"""Quotes of one facet."""
AT_ONCE = 8


def noted(study: Study, name: str) -> list[dict[str, Any]]:
    """A researcher that opens one page with a very long address and notes all that stands there."""
    quotes = [
        f"{name} {number}: 河畔の町では灯りが一つずつともり水が暗くなる。" for number in range(len(FACETS) * EACH)
    ]
    file = "/".join(["河畔" * 40] * 5) + f"/{name}.md"
    (study.folder / file).parent.mkdir(parents=True, exist_ok=True)
    (study.folder / file).write_text("\n\n".join([f"# {name}", *quotes]))
    url = Fact(file, "").url(study.folder)
    items = [
        {"source_id": source_id(url), "quote": quote, "claim": quote, "facet": FACETS[number % len(FACETS)]}
        for number, quote in enumerate(quotes)
    ]
    parts = [items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE)]
    mine = {"system": RESEARCHER, "any_message": f"Your question:\nask about {name}\\b"}
    fetch = {"name": "web_fetch", "arguments": {"url": url}}
    notes = [{"name": "note_evidence", "arguments": {"items": part}} for part in parts]
    return [
        {"when": {**mine, "turn": 0}, "reply": {"tool_calls": [fetch]}},
        {"when": {**mine, "turn": 1}, "reply": {"tool_calls": notes}},
        {"when": mine, "reply": {"text": f"digest of {name}"}},
    ]


async def test_a_research_that_found_more_than_fits_is_recorded_and_says_how_much_it_left_out(study: Study) -> None:
    down = {"when": {"system": WRITER}, "fault": {"status": 400}}
    rules = [scopes(*QUESTIONS), plans(*(question(name, *FACETS) for name in QUESTIONS)), down]
    for name in QUESTIONS:
        rules += noted(study, name)
    result = await study.run(*rules, strategy="academic", iterative_max_iterations=1, enable_fact_extraction=True)
    assert result.status is not TaskStatus.FAILED, result.error
    assert len(result.model_dump_json().encode()) <= MOST_BYTES * 11 // 10
    extra = result.metadata.model_extra or {}
    found = extra["report"]["evidence"]
    assert found >= len(QUESTIONS) * len(FACETS) * EACH * 9 // 10
    assert 0 < len(extra["facts"]) == found - extra["left_out"]["facts"]
    assert len(result.metadata.citations) == len(QUESTIONS)
