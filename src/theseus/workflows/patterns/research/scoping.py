"""The beginning of a research: what the report has to be, and what a first look around gives."""

import json

from theseus.contracts.errors import COSTS_A_PHASE
from theseus.contracts.messages import ToolCall
from theseus.contracts.research import Requirement, Scope
from theseus.domain.research.budget import SCOPING
from theseus.domain.research.presets import Controls
from theseus.roles.researching import RESEARCHER, SCOPER
from theseus.workflows.model_calls import ask
from theseus.workflows.patterns.research.quest import go_without
from theseus.workflows.run import Run
from theseus.workflows.together import together
from theseus.workflows.tool_calls import use_tool

SEARCH = "web_search"
RECON_CHARS = 6_000


async def make_scope(run: Run, controls: Controls) -> Scope:
    """What the report has to be. When no model can say, the query itself is the only requirement."""
    run.reserve = SCOPING
    run.enter("scoping")
    try:
        scope = await ask(run, SCOPER, run.request, window=True, facts=run.wishes())
    except COSTS_A_PHASE as error:
        go_without(run, error, f"the task could not be scoped ({error.message[:200]}); it was taken as it stands")
        scope = Scope()
    needs = scope.requirements or [Requirement(id="query", text=run.request[:400])]
    return scope.model_copy(update={"requirements": needs, "words": controls.words(scope.words)})


async def look_around(run: Run, controls: Controls, scope: Scope) -> str:
    """What first searches give, for the planner; empty without a search, or when it gives nothing."""
    tools = run.tools_of(RESEARCHER)
    if SEARCH not in tools:
        run.note_degraded(
            f"{SEARCH}: no search that this task may use; researchers could only open addresses they knew"
        )
        return ""
    run.enter("looking around")
    queries = [" ".join(run.request.split())[:300], *(f"{view} {run.request}"[:300] for view in scope.perspectives)]
    calls = [
        ToolCall(id=f"recon-{number}", name=SEARCH, arguments=json.dumps({"query": query}))
        for number, query in enumerate(queries[: controls.recon_searches], start=1)
    ]
    found = await together(use_tool(run, call, tools) for call in calls)
    room = RECON_CHARS // len(found)
    return "\n\n".join(message.text[:room] for message in found if not message.is_error)
