"""From a router's assessment to a mode."""

from theseus.contracts.assessment import Assessment
from theseus.contracts.task import Mode

SIMPLE_BELOW = 0.3
STANDARD_BELOW = 0.7


def route(assessment: Assessment) -> Mode:
    """Below 0.3 simple, below 0.7 standard, else complex; supervisor where the router sees roles that must talk."""
    if assessment.complexity < SIMPLE_BELOW:
        return Mode.SIMPLE
    if assessment.suggested_mode == "supervisor":
        return Mode.SUPERVISOR
    return Mode.STANDARD if assessment.complexity < STANDARD_BELOW else Mode.COMPLEX
