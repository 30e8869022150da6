"""All workflow types that a worker runs."""

from theseus.workflows.types.agent import AgentWorkflow
from theseus.workflows.types.complex import ComplexWorkflow
from theseus.workflows.types.research import ResearchWorkflow
from theseus.workflows.types.simple import SimpleWorkflow
from theseus.workflows.types.standard import StandardWorkflow
from theseus.workflows.types.supervisor import SupervisorWorkflow
from theseus.workflows.types.task import TaskWorkflow
from theseus.workflows.types.template import TemplateWorkflow

WORKFLOWS = (
    TaskWorkflow,
    SimpleWorkflow,
    StandardWorkflow,
    ComplexWorkflow,
    SupervisorWorkflow,
    ResearchWorkflow,
    TemplateWorkflow,
    AgentWorkflow,
)
