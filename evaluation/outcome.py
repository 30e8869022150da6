"""What a research task gave, as its result tells it to any program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from theseus.contracts.research import FacetRow, SentenceCheck
from theseus.contracts.task import TaskResult

RESEARCHER = "researcher"


class Finding(BaseModel):
    """One card, as `metadata.facts` has it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    claim: str
    quote: str
    url: str
    question: str
    facet: str


class _Report(BaseModel):
    first_checks: tuple[SentenceCheck, ...] = ()
    sentences: tuple[SentenceCheck, ...] = ()
    coverage: tuple[FacetRow, ...] = ()
    rounds: int = 0
    stopped: str = ""


class _Checked(BaseModel):
    sentences: tuple[SentenceCheck, ...] = ()


class _Verification(_Checked):
    before_repair: _Checked = _Checked()


class _Metadata(BaseModel):
    report: _Report = _Report()
    verification: _Verification | None = None
    facts: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """A result, and the parts of its metadata that measures look at; absent ones are empty.

    `last_checks` are of the sentences that stand in the report, `first_checks` of those of the draft before repair.
    """

    result: TaskResult
    first_checks: tuple[SentenceCheck, ...]
    last_checks: tuple[SentenceCheck, ...]
    coverage: tuple[FacetRow, ...]
    findings: tuple[Finding, ...]
    rounds: int
    stopped: str

    @staticmethod
    def of(given: TaskResult | Mapping[str, Any]) -> "Outcome":
        """Reads a result."""
        result = TaskResult.model_validate(given)
        metadata = _Metadata.model_validate(result.metadata.model_dump())
        report, verification = metadata.report, metadata.verification or _Verification()
        return Outcome(
            result=result,
            first_checks=report.first_checks or verification.before_repair.sentences,
            last_checks=report.sentences or verification.sentences,
            coverage=report.coverage,
            findings=metadata.facts,
            rounds=report.rounds,
            stopped=report.stopped,
        )

    @property
    def gathered_tokens(self) -> int:
        """What the researchers spent."""
        return sum(each.usage.total_tokens for each in self.result.metadata.agents if each.role == RESEARCHER)
