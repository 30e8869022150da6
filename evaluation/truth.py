"""What is true of a planted corpus: its pages, the facts on them, and what a research can and cannot find out from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class PageKind(StrEnum):
    """What a page is there for."""

    FACTS = "facts"
    LINKED = "linked"
    """Has facts, and no search finds it."""
    COPY = "copy"
    """The same text as another page, at another website."""
    NEAR = "near"
    """Nearly the same text as another page, at another website."""
    ECHO = "echo"
    """Repeats what other pages say."""
    DEAD_END = "dead end"
    """Speaks of what is asked and says nothing."""
    GONE = "gone"
    """A search finds it, and it is not there."""


class Fate(StrEnum):
    """What a corpus has on one facet."""

    SINGLE = "single"
    """One page says it."""
    DOUBLE = "double"
    """Two websites say the same."""
    CONTESTED = "contested"
    """Two websites say different figures."""
    LINKED = "linked"
    """Two are needed, and the second one is only found by a link."""
    FAR = "far"
    """One is needed, and it is only found by a link."""
    COPIED = "copied"
    """Two are needed; one says it, and another only copies its page."""
    VOID = "void"
    """No page says it."""


NEEDED = {Fate.DOUBLE: 2, Fate.LINKED: 2, Fate.COPIED: 2}
"""Independent websites that a facet needs, where it is not one."""


@dataclass(frozen=True)
class Item:
    """A fact as a table or a list has it: of what, its value, one with a wrong figure, and one with a wrong name, if it has any."""

    label: str
    value: str
    swapped: str
    renamed: str


@dataclass(frozen=True)
class Fact:
    """One sentence of one page that shows a facet.

    `claim` is how a researcher puts it, `told` two ways in which a report may (without the stop at the end), `swapped` the
    second of them with a wrong figure, `renamed` with a wrong name where it names somebody, `denied` their contrary. `level` is 2 where only a link
    leads to the page.
    """

    question: str
    facet: str
    url: str
    sentence: str
    claim: str
    told: tuple[str, str]
    swapped: str
    renamed: str
    denied: str
    item: Item
    level: int = 1

    @property
    def domain(self) -> str:
        """The registrable domain of its page."""
        return domain_of(self.url)


@dataclass(frozen=True)
class PlantedFacet:
    """One thing that can be asked, and what the corpus has on it."""

    id: str
    text: str
    fate: Fate

    @property
    def needed(self) -> int:
        """Independent websites that have to show it."""
        return NEEDED.get(self.fate, 1)


@dataclass(frozen=True)
class PlantedQuestion:
    """One sub-question of the research that the corpus is for."""

    id: str
    text: str
    facets: tuple[PlantedFacet, ...]


@dataclass(frozen=True)
class Page:
    """One page. `paragraphs` are its text, `links` addresses that it leads to; `padding` bytes of filler make it larger."""

    url: str
    kind: PageKind
    question: str
    title: str
    paragraphs: tuple[str, ...]
    links: tuple[str, ...] = ()
    published: str = "2031-05-04"
    is_plain: bool = False
    padding: int = 0

    @property
    def domain(self) -> str:
        """Its registrable domain; all planted hosts are such."""
        return domain_of(self.url)

    @property
    def is_indexed(self) -> bool:
        """Whether a search can find it."""
        return self.kind is not PageKind.LINKED


@dataclass(frozen=True)
class Contradiction:
    """Two facts of one facet with different figures."""

    first: Fact
    second: Fact


def domain_of(url: str) -> str:
    """The host of an address, without its port."""
    return urlsplit(url).hostname or ""


def domains_of(facts: Sequence[Fact]) -> tuple[str, ...]:
    """The independent websites that show these facts, in alphabetical order."""
    return tuple(sorted({fact.domain for fact in facts}))
