"""What an invented undertaking can be asked about: the aspects and facets of subjects.yaml, and how their texts are filled."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

FILE = Path(__file__).with_name("subjects.yaml")


class Kind(BaseModel):
    """One facet that a question can have. `figure` is the lowest, the highest and the step of its number; a date has none.

    `says` are wordings of sources, `claims` of researchers, `told` of reports; `denied` is the contrary, `item` what a table or
    a list has: of what, and the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    asks: str
    figure: tuple[int, int, int] | None = None
    says: tuple[str, str, str]
    claims: tuple[str, str]
    told: tuple[str, str]
    denied: str
    item: tuple[str, str]

    @property
    def has_name(self) -> bool:
        """Whether every source of it names somebody."""
        return all("{who}" in text or "{firm}" in text for text in (*self.says, *self.told))

    @property
    def names_in_item(self) -> bool:
        """Whether its value in a table or a list names somebody."""
        return "{who}" in self.item[1] or "{firm}" in self.item[1]


class Aspect(BaseModel):
    """One sub-question with its facets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    asks: str
    kinds: tuple[Kind, ...]


def aspects() -> tuple[Aspect, ...]:
    """All of them."""
    return TypeAdapter(tuple[Aspect, ...]).validate_python(yaml.safe_load(FILE.read_text()))


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its places filled; {It} is {it} at the beginning of a sentence."""
    it = values["it"]
    made = text.format_map({**values, "It": it[:1].upper() + it[1:]})
    return made[:1].upper() + made[1:]
