"""What was answered to a request that may come again. Inner contract of the gateway and its stores."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class KeptAnswer(BaseModel):
    """An answer as it was given: status, headers that belong to it, body."""

    model_config = ConfigDict(frozen=True)

    status: int
    headers: dict[str, str]
    body: str


class Claim(BaseModel):
    """Whose a request is: `mine` to do now, `busy` with somebody else, or `answered` before."""

    model_config = ConfigDict(frozen=True)

    state: Literal["mine", "busy", "answered"]
    answer: KeptAnswer | None = None
