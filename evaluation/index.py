"""The search of the planted web: BM25 over titles and texts, the same order every time."""

import math
from collections import Counter
from collections.abc import Sequence

from evaluation.truth import Page
from theseus.domain.research.words import stems_of

FREQUENCY = 1.5
LENGTH = 0.75
SNIPPET_CHARS = 160


class Index:
    """All pages that a search can find."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = [page for page in pages if page.is_indexed]
        self._words = [Counter(stems_of(" ".join((page.title, page.title, *page.paragraphs)))) for page in self._pages]
        self._having = Counter(word for words in self._words for word in words)
        self._mean = sum(words.total() for words in self._words) / max(len(self._words), 1)

    def search(self, query: str, count: int) -> list[Page]:
        """The pages that fit best, best first; those that fit alike in the order of their addresses."""
        wanted = sorted(set(stems_of(query)))
        scores = [(self._score(words, wanted), page) for words, page in zip(self._words, self._pages, strict=True)]
        found = sorted((pair for pair in scores if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].url))
        return [page for _, page in found[:count]]

    def _score(self, words: Counter[str], wanted: Sequence[str]) -> float:
        size = FREQUENCY * (1 - LENGTH + LENGTH * words.total() / self._mean)
        return sum(
            math.log(1 + len(self._pages) / self._having[word]) * words[word] * (FREQUENCY + 1) / (words[word] + size)
            for word in wanted
            if word in words
        )


def snippet_of(page: Page) -> str:
    """What a search shows of a page: its beginning, which never has a fact."""
    return page.paragraphs[0][:SNIPPET_CHARS] if page.paragraphs else ""
