"""How a task opens: it is announced, its session is fitted into the model's window, its mode is chosen."""

from collections.abc import Sequence

from pydantic import JsonValue

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.agent import MOST_CONTEXT_BYTES
from theseus.contracts.attachments import StoreAttachments
from theseus.contracts.changes import Change
from theseus.contracts.errors import AnswerInvalid, BudgetExhausted, InvalidInput, NoAdapter, NoModel, StepFailed
from theseus.contracts.events import AgentEvent, AnyFacts, Progressed, WorkflowStarted
from theseus.contracts.facts import Facts
from theseus.contracts.messages import UserMessage
from theseus.contracts.session import SaveSummary, SessionSummary, Window
from theseus.contracts.skill import LoadSkill
from theseus.contracts.task import Mode
from theseus.contracts.template import LoadTemplate, ToolNode
from theseus.contracts.tools import READ_ARTIFACT, ToolFacts
from theseus.domain.budget import Ledger
from theseus.domain.intake import TEAM_MODES, context_bytes
from theseus.domain.platforms import missing, turned_off
from theseus.domain.routing import route
from theseus.domain.shared import surroundings
from theseus.domain.templates.binding import bound
from theseus.domain.templates.soundness import named_roles, needs_model
from theseus.domain.tokens import estimate
from theseus.domain.toolset import absent
from theseus.domain.versions import named
from theseus.domain.windowing import Fit, fit, rules_of, summary_of, window_of, window_tokens
from theseus.roles.presets import PRESETS
from theseus.roles.router import ROUTER
from theseus.roles.summarizer import SUMMARIZER
from theseus.workflows import steps
from theseus.workflows.model_calls import ask, complete
from theseus.workflows.run import Run


def refuse_unserved(task: AcceptedTask, tools: Sequence[ToolFacts]) -> None:
    """Refuses a task whose role works with tools of a vendor where no adapter brings one.

    Raises:
        NoAdapter: `tools`, all that the task may use, have none of them.
    """
    role = PRESETS[task.role]
    off = turned_off(task.context.platforms)
    if role.can_work_with(tool for tool in tools if tool.name not in off):
        return
    wanted = ", ".join(name for name in role.vendor_tools or () if name not in off) or "tools of a vendor"
    raise NoAdapter(
        f"context.role: {role.name} works with {wanted}, and none is here for this task: no worker has an adapter that brings "
        "one, or the tenant's or the task's list of tools leaves it out. Install on the workers a package with an entry point in "
        "the group theseus.adapters, configure it, and name it in THESEUS_ADAPTERS if that is set; docs/adapters.md says how",
        field="context.role",
    )


def require_model(task: AcceptedTask, facts: Facts) -> None:
    """Refuses a task that needs a model where none can be used.

    Raises:
        InvalidInput: it is because of what the task itself names.
        NoModel: there is none.
    """
    if facts.refusal is None or task.context.disable_ai:
        return
    for name in ("model_override", "provider_override"):
        if getattr(task, name) is not None:
            raise InvalidInput(f"{name}: {facts.refusal}", field=name)
    raise NoModel(facts.refusal)


def announce(run: Run) -> None:
    """Says to people and dashboards that the task has begun."""
    task = run.task
    facts = {"mode": run.mode, "session_id": task.session.session_id, "role": task.role}
    run.milestones.tell(WorkflowStarted, message="task started", payload=AnyFacts.model_validate(facts))
    if task.context.role is not None:
        facts = {"role": task.role, "tools": list(run.tools_of(PRESETS[task.role]))}
        run.milestones.tell(AgentEvent, type="ROLE_ASSIGNED", payload=AnyFacts.model_validate(facts))
    if run.facts.search_attributes:
        values = {
            "TaskMode": run.mode or "",
            "TaskStatus": "running",
            "TaskTenant": task.session.tenant_id,
            "TaskUser": task.session.user_id,
            "TaskSession": task.session.session_id,
        }
        steps.label({name: str(value) for name, value in values.items() if value})
    _note_needs(run, task.role)
    if unknown := absent(run.facts.tools, task.tools):
        run.note_degraded(f"tools: this worker has none that this tenant may use for {', '.join(unknown)}")
    if unserved := missing(task.context.platforms, run.tools_there):
        run.note_degraded(f"context.platforms: no adapter asks {', '.join(unserved)}")
    run.show()


def _note_needs(run: Run, role: str) -> None:
    """Says which tools are missing without which a role cannot do its work."""
    for tool, needed in PRESETS[role].needs.items():
        if tool not in run.tools_there:
            run.note_degraded(f"role {role}: there is no {tool} here: it needs {needed}")


async def keep_attachments(run: Run) -> None:
    """Keeps what came with the task; from here on it is known by name and artifact.

    Raises:
        InvalidInput: one of them cannot be used.
    """
    if not run.task.context.attachments:
        return
    run.enter("keeping attachments")
    kept = await steps.store_attachments(StoreAttachments(task_id=run.task.task_id, session=run.task.session))
    if kept.refused:
        raise InvalidInput(kept.refused, field=kept.field)
    context = run.task.context.model_copy(update={"attachments": None})
    run.task = run.task.model_copy(update={"context": context, "attachments": kept.attachments})
    if run.readers and READ_ARTIFACT not in run.tools_there:
        names = ", ".join(each.name for each in kept.attachments if not each.is_image)
        run.note_degraded(
            f"only the beginnings of attachments can be seen, because {READ_ARTIFACT} may not be used: {names}"
        )


async def take_template(run: Run) -> Mode | None:
    """Has the template loaded; None where there is none of that name and the task may go on without it.

    Raises:
        InvalidInput: it cannot be used, or is unknown and nothing else may do the task.
        NoModel: it, or what does the task without it, needs one, and there is none.
    """
    run.enter("opening the template")
    task = run.task
    assert task.template is not None
    asked = LoadTemplate(name=task.template, version=task.template_version, tenant_id=task.session.tenant_id)
    loaded = await steps.load_template(asked)
    if loaded.template is None:
        if loaded.is_unknown and loaded.falls_back and not task.context.disable_ai:
            require_model(task, run.facts)
            run.note_degraded(f"{loaded.problem[:500]}; the task goes on without it")
            if task.fallback_mode is not None and run.facts.search_attributes and run.has(Change.FALLBACK_LABELLED):
                steps.label({"TaskMode": task.fallback_mode})
            return None
        raise InvalidInput(f"context.template: {loaded.problem}", field="context.template")
    made = loaded.template
    lacking = [node.tool for node in made.nodes if isinstance(node, ToolNode) and node.tool not in run.tools_there]
    if lacking:
        raise InvalidInput(f"tools: the template {made.name} needs {', '.join(lacking)}", field="tools")
    if task.context.disable_ai and (asking := needs_model(made)):
        raise InvalidInput(
            f"context.disable_ai: these nodes of the template {made.name}@{made.version} need a model: "
            f"{', '.join(asking)}",
            field="context.disable_ai",
        )
    if needs_model(made):
        require_model(task, run.facts)
    for role in named_roles(made):
        if role != task.role:
            _note_needs(run, role)
    bound(made, task.context.prompt_params)
    run.template = loaded
    return Mode.TEMPLATE


async def take_skill(run: Run, asked: str) -> None:
    """Has the skill loaded: from then on it says who the task's agent is, what it may use and spend.

    Raises:
        InvalidInput: it is unknown or cannot be used here.
    """
    run.enter("opening the skill")
    field = "skill"
    loaded = await steps.load_skill(LoadSkill(name=named(asked)[0], version=named(asked)[1]))
    if loaded.skill is None:
        raise InvalidInput(f"{field}: {loaded.problem}", field=field)
    skill, task = loaded.skill, run.task
    role = skill.head.requires_role or task.role
    if role not in PRESETS:
        known = ", ".join(sorted(PRESETS))
        raise InvalidInput(f"{field}: {skill.key} requires the role {role!r}; known roles: {known}", field=field)
    if task.context.role not in (None, role):
        raise InvalidInput(f"context.role: {skill.key} requires the role {role!r}", field="context.role")
    lacking = [name for name in skill.head.requires_tools if name not in run.tools_there]
    if lacking:
        words = f"{skill.key} requires {', '.join(lacking)}, which this worker does not have or this task may not use"
        raise InvalidInput(f"{field}: {words}", field=field)
    run.skill = skill
    limits = task.limits
    if skill.head.budget_max is not None:
        limits = limits.model_copy(update={"tokens": min(limits.tokens, skill.head.budget_max)})
    run.task = task.model_copy(update={"role": role, "limits": limits})
    run.ledger = Ledger(limits, spent=run.ledger.spent)


async def fit_session(run: Run) -> None:
    """Brings the session into the model's window; summarises its middle where it does not fit."""
    rules = rules_of(run.task.context)
    if run.task.new_session:
        return
    run.enter("reading the session")
    view = await steps.load_session(run.task.session, rules.size)
    if not view.heads:
        return
    role = PRESETS[run.task.role]
    card = run.cards(role)[0]
    prompt = (run.task.query, run.task.context.system_prompt or "", str(run.memory_facts().get("memory", "")))
    reserved = role.max_output_tokens + sum(map(estimate, prompt)) + 1000
    plan = fit(view, rules, card.context_window_tokens, reserved)
    summary = await _summarise(run, plan) if plan.summarise else plan.summary
    run.window = window_of(plan, run.task.session, summary)
    run.window_tokens = window_tokens(plan, view, summary)


async def choose_mode(run: Run) -> Mode:
    """Asks the router; when it cannot say, or chooses what cannot be had, the mode is simple and the task degraded."""
    run.enter("routing")
    try:
        assessment = await ask(run, ROUTER, run.task.query, facts=_known_before(run))
    except (StepFailed, AnswerInvalid) as error:
        run.note_degraded(f"the router could not decide ({error.message[:200]}); simple mode was taken")
        return Mode.SIMPLE
    mode = route(assessment)
    run.complexity = assessment.complexity
    run.needs_tools = assessment.needs_tools or bool(run.readers) or PRESETS[run.task.role].vendor_tools is not None
    if mode in TEAM_MODES and context_bytes(run.task.context) > MOST_CONTEXT_BYTES:
        run.note_degraded(
            f"the router chose {mode} mode, but the context is too large for a team; simple mode was taken"
        )
        mode = Mode.SIMPLE
    if mode in TEAM_MODES and not run.has(Change.TEAMS):
        run.note_degraded(
            f"the router chose {mode} mode, which was not there when the task began; simple mode was taken"
        )
        mode = Mode.SIMPLE
    facts = {"mode": mode, "complexity": assessment.complexity}
    run.milestones.tell(
        Progressed, type="PROGRESS", message=f"routed to {mode}", payload=AnyFacts.model_validate(facts)
    )
    if run.facts.search_attributes:
        steps.label({"TaskMode": mode})
    return mode


async def _summarise(run: Run, plan: Fit) -> SessionSummary | None:
    run.enter("summarising the session")
    old = plan.summary.text if plan.summary is not None else ""
    talk = run.talk(SUMMARIZER, window=False, facts={"target_tokens": plan.summary_budget_tokens})
    talk.head = talk.head.model_copy(
        update={"window": Window(session=run.task.session, summary=old, after=plan.summarise)}
    )
    talk.window_tokens = plan.summarise_tokens
    talk.say(UserMessage(text=f"Summarise the conversation so far in at most {plan.summary_budget_tokens} tokens."))
    try:
        reply = await complete(run, talk, SUMMARIZER, closing=True, stream=False)
    except (StepFailed, BudgetExhausted) as error:
        run.note_degraded(f"the session could not be summarised ({error.message[:200]}); its middle was left out")
        return plan.summary
    text = reply.message.text.strip()
    if not text:
        run.note_degraded("the session could not be summarised (empty summary); its middle was left out")
        return plan.summary
    made = summary_of(plan, text)
    await steps.save_summary(SaveSummary(key=run.task.session, summary=made))
    run.milestones.tell(Progressed, type="DATA_PROCESSING", message=f"{len(plan.summarise)} messages were summarised")
    return made


def _known_before(run: Run) -> dict[str, JsonValue]:
    return {"follows_a_conversation": run.window is not None, **surroundings(run.task)}
