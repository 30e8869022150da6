"""A task goes to the mode that its complexity asks for."""

import pytest

from theseus.contracts.assessment import Assessment
from theseus.contracts.task import Mode
from theseus.domain.routing import route


@pytest.mark.parametrize(
    ("complexity", "suggested", "mode"),
    [
        (0.0, "simple", Mode.SIMPLE),
        (0.29, "supervisor", Mode.SIMPLE),
        (0.3, "simple", Mode.STANDARD),
        (0.69, "standard", Mode.STANDARD),
        (0.7, "standard", Mode.COMPLEX),
        (1.0, "complex", Mode.COMPLEX),
        (0.5, "supervisor", Mode.SUPERVISOR),
    ],
)
def test_complexity_decides(complexity: float, suggested: str, mode: Mode) -> None:
    assessment = Assessment.model_validate(
        {"complexity": complexity, "needs_tools": False, "suggested_mode": suggested}
    )
    assert route(assessment) is mode
