"""The scripted model as all roles of a deep research on a planted corpus: it knows the truth, and errs where it is to err.

Every answer follows from the request alone, so that a worker that is killed and begins anew hears the same again.
"""

import re
from collections.abc import Callable, Mapping

from pydantic import BaseModel

from evaluation.corpus import Corpus
from evaluation.drafting import Draft, drafted, item_of, row_of
from evaluation.evidence import evidence_in
from evaluation.researching import next_step
from tests.support.studies import ASSESSOR, ENTAILER, MENDER, OUTLINER, PLANNER, RESEARCHER, SCOPER, WRITER
from theseus.activities.llm.scripted.script import Asked, Reply, Rule
from theseus.contracts.research import (
    Facet,
    FollowUp,
    Judgement,
    Mended,
    Outline,
    Point,
    Requirement,
    ResearchDraft,
    Scope,
    Section,
    SentenceShown,
    Shown,
    SubQuestion,
)
from theseus.domain.research.words import overlap, stems_of

ROLES = (SCOPER, PLANNER, RESEARCHER, ASSESSOR, OUTLINER, WRITER, MENDER, ENTAILER)
"""The first words of the system prompts by which roles are told apart, in the order of the phases."""
WORDS = 1_500
ABOUT_THE_SAME = 0.6
"""A sentence is about a fact that shares so much of its words."""
FOLLOW = "Still open. Look into registers and archives that the pages lead to."

_ROW = re.compile(
    r"^(?P<question>[\w-]+)/(?P<facet>[\w-]+): .* \[(?P<state>established|open)(?:, nice to have)?; \d+ of \d+ domains\]$",
    re.MULTILINE,
)
_DOUBTED = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_WRONG = re.compile(r"The sentence:\n(.*)\n\nWhat is wrong:")


class ResearchScript:
    """Chooses the answer to each request: `model.play(ResearchScript(corpus))`. `drafts` are what its writer wrote.

    Args:
        corpus: what there is to find.
        seconds: how long each answer takes.
    """

    def __init__(self, corpus: Corpus, seconds: float = 0.0) -> None:
        self.drafts: list[Draft] = []
        self._corpus = corpus
        self._rule = Rule(latency=seconds)
        self._roles: Mapping[str, Callable[[Asked], Reply]] = {
            SCOPER: self._scoper,
            PLANNER: self._planner,
            RESEARCHER: lambda asked: next_step(asked, corpus),
            ASSESSOR: self._assessor,
            OUTLINER: self._outliner,
            WRITER: self._writer,
            MENDER: self._mender,
            ENTAILER: self._entailer,
        }

    def choose(self, asked: Asked) -> tuple[Rule, Reply]:
        """The answer of the role that is asked; a request of any other role gets the model's default."""
        for words, answer in self._roles.items():
            if asked.system.startswith(words):
                return self._rule, answer(asked)
        return self._rule, Reply()

    def _scoper(self, _: Asked) -> Reply:
        needs = [Requirement(id=each.id, text=each.text) for each in self._corpus.questions]
        views = ["builders and their early plans", "neighbours who live beside it"]
        return _json(Scope(words=WORDS, requirements=needs, perspectives=views))

    def _planner(self, _: Asked) -> Reply:
        questions = [
            SubQuestion(
                id=each.id,
                question=each.text,
                facets=[Facet(id=facet.id, text=facet.text, domains=facet.needed) for facet in each.facets],
                serves=[each.id],
            )
            for each in self._corpus.questions
        ]
        return _json(ResearchDraft(idea="one question for each side of it", questions=questions))

    def _assessor(self, asked: Asked) -> Reply:
        missing: dict[str, list[str]] = {}
        for row in _ROW.finditer(asked.last_user):
            if row["state"] == "open":
                missing.setdefault(row["question"], []).append(row["facet"])
        wanted = [FollowUp(question=name, facets=facets, task=FOLLOW) for name, facets in missing.items()]
        return _json(Judgement(is_enough=not wanted, follow_ups=wanted))

    def _outliner(self, asked: Asked) -> Reply:
        sections: list[Section] = []
        cards = evidence_in(asked.last_user, self._corpus)
        for question in self._corpus.questions:
            mine = [card for card in cards if card.fact is not None and card.fact.question == question.id]
            points = [Point(text=card.claim, cards=[card.id]) for card in mine]
            if points:
                sections.append(Section(title=question.text[:120], points=points[:20]))
        nothing = Section(title="Findings", points=[Point(text="nothing was found")])
        return _json(Outline(title=self._corpus.query, sections=sections or [nothing]))

    def _writer(self, asked: Asked) -> Reply:
        draft = drafted(asked.last_user, self._corpus)
        self.drafts.append(draft)
        return Reply(text=draft.text)

    def _mender(self, asked: Asked) -> Reply:
        found = _WRONG.search(asked.last_user)
        words = stems_of(found[1]) if found else []
        for card in evidence_in(asked.last_user, self._corpus):
            if overlap(stems_of(card.claim), words) >= ABOUT_THE_SAME:
                return _json(Mended(sentence=f"{card.claim.rstrip('.')} [[{card.id}]]."))
        return _json(Mended())

    def _entailer(self, asked: Asked) -> Reply:
        truths = {f"{text}." for fact in self._corpus.facts for text in fact.told}
        truths |= {fact.claim for fact in self._corpus.facts}
        for fact in self._corpus.facts:
            value = fact.item.value
            truths |= {row_of(fact, value), item_of(fact, value, bold=True), item_of(fact, value, bold=False)}
        return _json(
            Shown(
                sentences=[
                    SentenceShown(number=int(number), shown=text in truths)
                    for number, text in _DOUBTED.findall(asked.last_user)
                ]
            )
        )


def _json(value: BaseModel) -> Reply:
    return Reply.model_validate({"json": value.model_dump(mode="json")})
