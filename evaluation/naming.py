"""Names that nobody bears, made of syllables: no model knows anything about them."""

import random
from collections.abc import Callable, Sequence

_HEADS = (
    "Vel",
    "Quin",
    "Tor",
    "Mar",
    "Bel",
    "Dra",
    "Hes",
    "Lun",
    "Ost",
    "Pel",
    "Ran",
    "Sil",
    "Ul",
    "Wen",
    "Yar",
    "Zan",
)
_MIDDLES = ("mo", "da", "ve", "li", "ro", "ska", "ne", "bri", "ta", "lo", "gu", "phi")
_TAILS = ("ra", "len", "dor", "wick", "ven", "mund", "gate", "stad", "nik", "fell", "bury", "lund")
_FIRST = (
    "Ada",
    "Boran",
    "Celi",
    "Dorun",
    "Elvi",
    "Fenna",
    "Goran",
    "Hilke",
    "Ivo",
    "Jessa",
    "Kolm",
    "Lioba",
    "Nerin",
    "Orla",
)
_FIRMS = ("Works", "Lines", "Holding", "Foundry", "Partners", "Union")
_OUTLETS = (
    "courier",
    "institute",
    "review",
    "almanac",
    "chronicle",
    "observer",
    "gazette",
    "bulletin",
    "monitor",
    "digest",
)
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_KINDS = ("tidal railway", "cable ferry", "glass tramway", "canal lift", "salt railway", "cliff tramway")


class Names:
    """Gives each name once. `chance` decides all of them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._given: set[str] = set()

    def word(self) -> str:
        """One invented word with a capital."""
        return self._new(lambda: self._of(_HEADS) + self._of(_MIDDLES) + self._of(_TAILS))

    def person(self) -> str:
        """A first and a last name."""
        return f"{self._of(_FIRST)} {self.word()}"

    def firm(self) -> str:
        """A company."""
        return f"{self.word()} {self._of(_FIRMS)}"

    def undertaking(self) -> str:
        """What a research is about, as in "the Velmora tidal railway"."""
        return f"{self.word()} {self._of(_KINDS)}"

    def host(self) -> str:
        """A website's host; `.example` belongs to nobody."""
        return f"{self.word().lower()}-{self._of(_OUTLETS)}.example"

    def _of(self, words: Sequence[str]) -> str:
        return self._chance.choice(words)

    def _new(self, make: Callable[[], str]) -> str:
        while (made := make()) in self._given:
            pass
        self._given.add(made)
        return made
