"""Scripts for deep research over a folder of documents: who says what, told apart by the roles' own prompts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.teams import Rule
from theseus.domain.research.sources import card_id, source_id

SCOPER = "You scope a research task"
PLANNER = "You plan research"
RESEARCHER = "You are a researcher of one question"
ASSESSOR = "You assess what research has found"
OUTLINER = "You outline a report"
WRITER = "You write a research report"
MENDER = "You mend one sentence"
ENTAILER = "You check whether quotes show sentences"


@dataclass(frozen=True)
class Fact:
    """A sentence of a document, and what it is evidence for; of the question that is named as the document, unless said."""

    file: str
    quote: str
    facet: str = "answer"
    question: str = ""

    def url(self, folder: Path) -> str:
        """Where its document is."""
        return (folder / self.file).as_uri()

    def card(self, folder: Path) -> str:
        """The id that it gets as evidence."""
        start = (folder / self.file).read_text().strip().index(self.quote)
        return card_id(source_id(self.url(folder)), start, self.question or Path(self.file).stem, self.facet)


def scopes(*needs: str, **more: Any) -> Rule:
    """The scoper answers."""
    scope = {"language": "en", "words": 300, "requirements": [{"id": name, "text": name} for name in needs], **more}
    return {"when": {"system": SCOPER}, "reply": {"json": scope}}


def question(name: str, *facets: str, after: tuple[str, ...] = (), domains: int = 1) -> dict[str, Any]:
    """A sub-question whose researcher is told to ask about `name`; it serves the requirement of that name."""
    listed = [{"id": facet, "text": f"{facet} of {name}", "must": True, "domains": domains} for facet in facets]
    return {
        "id": name,
        "question": f"ask about {name}",
        "facets": listed,
        "depends_on": list(after),
        "serves": [name],
        "weight": 1,
    }


def plans(*questions: dict[str, Any], **rule: Any) -> Rule:
    """The planner answers with these sub-questions."""
    return {
        "when": {"system": PLANNER},
        "reply": {"json": {"idea": "side by side", "questions": list(questions)}},
        **rule,
    }


def finds(name: str, folder: Path, *facts: Fact, asks: str = "ask about", **rule: Any) -> list[Rule]:
    """The researcher of a question searches, opens the documents of these facts, notes them, and is done."""
    mine = {"system": RESEARCHER, "any_message": f"Your question:\n{asks} {name}\\b"}
    items = [
        {"source_id": source_id(fact.url(folder)), "quote": fact.quote, "claim": fact.quote, "facet": fact.facet}
        for fact in facts
    ]
    opens = [{"name": "web_fetch", "arguments": {"url": url}} for url in dict.fromkeys(f.url(folder) for f in facts)]
    return [
        {"when": {**mine, "turn": 0}, "reply": {"tool_calls": [{"name": "web_search", "arguments": {"query": name}}]}},
        {"when": {**mine, "turn": 1}, "reply": {"tool_calls": opens} if opens else {"text": f"nothing on {name}"}},
        {
            "when": {**mine, "turn": 2},
            "reply": {"tool_calls": [{"name": "note_evidence", "arguments": {"items": items}}]},
        },
        {"when": mine, "reply": {"text": f"digest of {name}"}, **rule},
    ]


def assesses(*follow_ups: dict[str, Any], is_enough: bool = True) -> Rule:
    """The assessor answers."""
    return {"when": {"system": ASSESSOR}, "reply": {"json": {"is_enough": is_enough, "follow_ups": list(follow_ups)}}}


def outlines(*cards: str) -> Rule:
    """The outliner puts these cards into one section."""
    points = [{"text": f"point {number}", "cards": [name]} for number, name in enumerate(cards, start=1)]
    return {
        "when": {"system": OUTLINER},
        "reply": {"json": {"title": "Report", "sections": [{"title": "All", "points": points}]}},
    }


def writes(text: str, **rule: Any) -> Rule:
    """The writer's draft."""
    return {"when": {"system": WRITER}, "reply": {"text": text}, **rule}
