"""Shapes of what stores keep apart from sessions and events. Inner contract."""

from pydantic import BaseModel, ConfigDict


class ArtifactPage(BaseModel):
    """A slice of an artifact's text. `total_chars` is the whole length; `next_offset` is None at the end."""

    model_config = ConfigDict(frozen=True)

    text: str
    offset: int
    total_chars: int
    next_offset: int | None


class BrowserPlace(BaseModel):
    """Where an agent's browser stands. `visit` says who holds the page; `numbers` is the last number of an element."""

    model_config = ConfigDict(frozen=True)

    url: str
    visit: str
    numbers: int
