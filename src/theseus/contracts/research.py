"""Shapes of deep research: what was fetched, what it is evidence for, and how a report stands on it. Inner contract."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MOST_QUESTIONS = 8
MOST_FACETS = 6

Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]


class Source(BaseModel):
    """A page that was really fetched, as it was then; `domain` is the registrable one, by which sources are independent."""

    model_config = ConfigDict(frozen=True)

    id: str
    url: str
    title: str = ""
    domain: str = ""
    published: str | None = None
    sha256: str = ""


class Card(BaseModel):
    """A claim with the words of a source that show it. `quote` is the source's own text, `window` the text around it."""

    model_config = ConfigDict(frozen=True)

    id: str
    claim: str
    quote: str
    window: str = ""
    start: int = Field(default=0, description="Where the quote begins in the snapshot's text, in characters.")
    source: Source
    question: str = Field(default="", description="Id of the sub-question.")
    facet: str = ""


class Support(StrEnum):
    """How a sentence stands on what it cites."""

    SUPPORTED = "supported"
    WEAK = "weak"
    UNSUPPORTED = "unsupported"


class SentenceCheck(BaseModel):
    """What the rules found of one sentence. `better` are cards that show it better than those that it cites."""

    model_config = ConfigDict(frozen=True)

    start: int
    end: int
    text: str
    cites: tuple[str, ...] = ()
    claims: bool = True
    support: Support = Support.SUPPORTED
    reasons: tuple[str, ...] = ()
    better: tuple[str, ...] = ()


class Requirement(BaseModel):
    """Something that the report has to answer, asked for in so many words or meant by whoever asks such a question."""

    id: Name
    text: str = Field(min_length=1, max_length=400)
    is_implicit: bool = False


class Scope(BaseModel):
    """What the report is to be, as the scoper understands the query."""

    language: str = Field(default="en", max_length=40, description="Language of the report.")
    audience: str = Field(default="", max_length=200)
    freshness: str = Field(default="", max_length=200, description="How recent sources have to be; empty: any.")
    words: int = Field(default=800, ge=100, le=6000, description="Length of the report.")
    requirements: list[Requirement] = Field(default=[], max_length=16)
    perspectives: list[str] = Field(default=[], max_length=6, description="Points of view that a good report has.")
    assumptions: list[str] = Field(default=[], max_length=8, description="What was not said and is taken for granted.")


class Facet(BaseModel):
    """One thing to find out for a sub-question, and how many independent domains have to say it."""

    id: Name
    text: str = Field(min_length=1, max_length=300)
    must: bool = Field(default=True, description="Whether the report fails without it.")
    domains: int = Field(default=1, ge=1, le=3, description="Independent domains that have to show it.")


class SubQuestion(BaseModel):
    """One part of a research plan: what one researcher finds out."""

    id: Name
    question: str = Field(min_length=1, max_length=1000)
    facets: list[Facet] = Field(min_length=1, max_length=MOST_FACETS)
    depends_on: list[Name] = Field(default=[], description="Ids of the sub-questions whose findings it needs.")
    serves: list[Name] = Field(default=[], description="Ids of the requirements that it answers.")
    weight: int = Field(default=1, ge=1, le=4, description="Its share of the budget, against the others.")


class ResearchDraft(BaseModel):
    """A research plan as its planner writes it."""

    idea: str = Field(default="", max_length=1000)
    questions: list[SubQuestion]


class ResearchPlan(ResearchDraft):
    """A sound plan; people review it by its version."""

    version: int = 1


class ResearchCall(BaseModel):
    """For which sub-question a researcher calls a tool, which facets it may note evidence for, and what they are about.

    `instead_of` are researchers of the same errand that failed: what they asked may be asked again.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    facets: tuple[str, ...] = ()
    about: str = ""
    instead_of: tuple[str, ...] = ()


class ResearchBrief(BaseModel):
    """What one researcher finds evidence for, and with how many tool calls at most."""

    model_config = ConfigDict(frozen=True)

    call: ResearchCall
    most_calls: int


class Snapshot(BaseModel):
    """A page as it was fetched: its source, and all its text."""

    model_config = ConfigDict(frozen=True)

    source: Source
    text: str


class FacetRow(BaseModel):
    """How far one facet is established."""

    model_config = ConfigDict(frozen=True)

    question: str
    facet: str
    text: str
    must: bool = True
    needed: int = 1
    cards: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()

    @property
    def is_established(self) -> bool:
        """Whether enough independent domains show it."""
        return len(self.domains) >= self.needed


class Contradiction(BaseModel):
    """Two cards of one facet that say different figures for the same thing."""

    model_config = ConfigDict(frozen=True)

    question: str
    facet: str
    first: str
    second: str
    about: str = ""


class FollowUp(BaseModel):
    """What is still to be found out, in words for the next researcher."""

    question: Name
    facets: list[Name] = Field(min_length=1, max_length=MOST_FACETS)
    task: str = Field(min_length=1, max_length=1000)


class Judgement(BaseModel):
    """What the assessor makes of a round: whether the report can be written, and what to look for next."""

    is_enough: bool
    follow_ups: list[FollowUp] = Field(default=[], max_length=MOST_QUESTIONS)


class Point(BaseModel):
    """One thing that a section says, and the cards that show it."""

    text: str = Field(min_length=1, max_length=400)
    cards: list[str] = Field(default=[], max_length=12)


class Section(BaseModel):
    """One section of the report."""

    title: str = Field(min_length=1, max_length=120)
    points: list[Point] = Field(min_length=1, max_length=20)


class Outline(BaseModel):
    """The report's sections, each point bound to its cards."""

    title: str = Field(default="", max_length=200)
    sections: list[Section] = Field(min_length=1, max_length=12)


class Mended(BaseModel):
    """A sentence as it should stand; empty when nothing of it can be kept."""

    sentence: str = Field(default="", max_length=2000)


class SentenceShown(BaseModel):
    """Whether the quotes show a sentence, by its number."""

    number: int
    shown: bool


class Shown(BaseModel):
    """Which sentences their quotes show."""

    sentences: list[SentenceShown] = Field(default=[], max_length=40)


class Report(BaseModel):
    """What the rules say of a whole report. `score` is the part of its claims that is supported, 0..1."""

    score: float
    claims: int
    supported: int
    weak: int
    unsupported: int
    cited: int
    sentences: list[SentenceCheck] = []


class ResearchState(BaseModel):
    """A research between two rounds, when it goes on in a new history."""

    model_config = ConfigDict(frozen=True)

    scope: Scope
    plan: ResearchPlan
    rounds: int = 0
    todo: tuple[FollowUp, ...] = ()
    digests: dict[str, str] = {}
    gains: tuple[tuple[int, int, int], ...] = ()
    failed_rounds: int = 0
    cards: tuple[Card, ...] = ()
