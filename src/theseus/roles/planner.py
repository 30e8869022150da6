"""The planner: splits a task into parts that agents can work on at the same time."""

from theseus.contracts.plan import PlanDraft
from theseus.contracts.task import ModelTier
from theseus.roles.role import CONTEXT_SHOWN, Role

PLANNER = Role(
    name="planner",
    instructions=(
        "You split a task into subtasks for a team of agents. You do not work on them. "
        "Make as few subtasks as the task really needs; one is right when one agent can do it. "
        "Each agent sees only its own description and the results of the subtasks that it depends on: put into the "
        "description all that it has to know, in the language of the task. "
        "depends_on: only what the subtask cannot be done without; independent subtasks run at the same time. "
        "Do not plan a last subtask that only puts the results together: that is done anyway. "
        "strategy: react with tools or for plain work; chain_of_thought for careful reasoning; tree_of_thoughts for open "
        "problems with several ways; debate for disputed questions; reflection for texts that must be polished."
    ),
    tier=ModelTier.MEDIUM,
    answer=PlanDraft,
    temperature=0.2,
    max_output_tokens=4096,
    facts_shown={
        "most_subtasks": "At most so many subtasks",
        "roles": "Roles to choose from, and what each is",
        "tools": "Tools that each role may use",
        **CONTEXT_SHOWN,
    },
)
