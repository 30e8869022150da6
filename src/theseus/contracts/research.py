"""Shapes of deep research: what was fetched, what it is evidence for, and how a report stands on it. Inner contract."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


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
