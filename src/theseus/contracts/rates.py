"""Shares of a provider's quota: what an account allows, what a call takes of it, when it may go. Inner contract."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RateLimits(BaseModel):
    """What an account may use in a minute, as its provider says; what is absent is not limited."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests_per_minute: int | None = Field(default=None, ge=1)
    input_tokens_per_minute: int | None = Field(default=None, ge=1)
    output_tokens_per_minute: int | None = Field(default=None, ge=1)


class Load(BaseModel):
    """What one call takes of a quota."""

    model_config = ConfigDict(frozen=True)

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class Draw(BaseModel):
    """What one call draws from one bucket, which fills by `per_second` and holds at most `burst`."""

    model_config = ConfigDict(frozen=True)

    bucket: str
    per_second: float = Field(gt=0)
    burst: float = Field(gt=0)
    amount: float


class Admission(BaseModel):
    """When a call may go: after `wait`.

    `go`: it has drawn, and only waits it out. `line`: it has a place, and asks again. `none`: the line is too long for it.
    """

    model_config = ConfigDict(frozen=True)

    state: Literal["go", "line", "none"]
    wait: timedelta = timedelta()
