"""The modes: each names its phases in order. `BUILT` is the table of those that this version has."""

from collections.abc import Awaitable, Callable

from theseus.contracts.task import Mode
from theseus.workflows.answer import Answer
from theseus.workflows.modes.complex import complex_mode
from theseus.workflows.modes.research import research
from theseus.workflows.modes.simple import simple
from theseus.workflows.modes.standard import standard
from theseus.workflows.modes.supervisor import supervisor
from theseus.workflows.modes.template import template
from theseus.workflows.run import Run

BUILT: dict[Mode, Callable[[Run], Awaitable[Answer]]] = {
    Mode.SIMPLE: simple,
    Mode.STANDARD: standard,
    Mode.COMPLEX: complex_mode,
    Mode.SUPERVISOR: supervisor,
    Mode.RESEARCH: research,
    Mode.TEMPLATE: template,
}
