"""What input is accepted: shape, limits, conflicts, and that no accepted key is without effect."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from theseus.contracts.accepted import AcceptedTask
from theseus.contracts.agent import MOST_CONTEXT_BYTES
from theseus.contracts.errors import InvalidInput
from theseus.contracts.session import SessionKey
from theseus.contracts.task import MAX_INPUT_BYTES, MOST_DEPTH, AdsPlatforms, Mode, TaskContext, TaskInput
from theseus.domain import attachments
from theseus.domain.versions import named

DEFAULT_ROLE = "generalist"
DEFAULT_ITERATIONS = 10
DEFAULT_AGENTS = 5

TEAM_MODES = frozenset({Mode.STANDARD, Mode.COMPLEX, Mode.SUPERVISOR, Mode.RESEARCH})
COPYING_MODES = TEAM_MODES | {Mode.TEMPLATE}
"""Modes in which several agents or tools get a copy of the context."""

_RESEARCH_ONLY = (
    "research_strategy",
    "iterative_research_enabled",
    "iterative_max_iterations",
    "enable_fact_extraction",
    "enable_citations",
    "synthesis_style",
    "review_timeout",
)


@dataclass(frozen=True)
class Setting:
    """Where a task is accepted: the workflow that runs it, the mode its type stands for, the roles that there are."""

    workflow_id: str
    workflow_mode: Mode | None
    fresh_session_id: str
    roles: Collection[str]


def accept(raw: JsonValue, setting: Setting) -> AcceptedTask:
    """Turns raw JSON into a task.

    Raises:
        InvalidInput: a rule is broken; the message and `field` name where.
    """
    data = _parse(raw)
    if data.task_id is not None and data.task_id != setting.workflow_id:
        raise InvalidInput(
            f"task_id: {data.task_id!r} is not the workflow id {setting.workflow_id!r}; leave it out or make them equal",
            field="task_id",
        )
    _refuse_conflicts(data)
    attachments.check(data.context)
    mode = _mode(data, setting.workflow_mode)
    _refuse_without_effect(data, mode)
    _refuse_agents_alone(data, mode)
    _refuse_large_context(data, mode)
    return _resolve(data, mode, setting)


def parsed(data: bytes, what: str) -> JsonValue:
    """JSON text as a value.

    Raises:
        InvalidInput: it is none; the message says where, and does not quote it.
    """
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f'{what} must be one JSON object such as {{"query": "..."}}; {_why(error)}') from error


def refuse_deep(raw: JsonValue, what: str) -> None:
    """Refuses what is nested too deeply to be carried on.

    Raises:
        InvalidInput: it is.
    """
    level = [raw]
    for _ in range(MOST_DEPTH):
        level = [inner for each in level for inner in _inside(each) if isinstance(inner, dict | list)]
        if not level:
            return
    raise InvalidInput(f"{what} is nested too deeply: at most {MOST_DEPTH} objects and arrays may lie in each other")


def _inside(value: JsonValue) -> Iterable[JsonValue]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def _why(error: Exception) -> str:
    match error:
        case RecursionError():
            return "it is nested too deeply"
        case json.JSONDecodeError(msg=said, lineno=line, colno=column):
            return f"it is not JSON: line {line}, column {column}: {said}"
        case UnicodeDecodeError(start=place):
            return f"it is not UTF-8: byte {place}"
        case _:
            return "it holds a number that is too long"


def _parse(raw: JsonValue) -> TaskInput:
    if not isinstance(raw, dict):
        raise InvalidInput(f'the task input must be one JSON object such as {{"query": "..."}}, not {_kind(raw)}')
    refuse_deep(raw, "the task input")
    try:
        size = len(json.dumps(raw, ensure_ascii=False, allow_nan=False).encode(errors="replace"))
    except ValueError as error:
        raise InvalidInput("the task input holds a number that JSON has not, such as NaN or 1e400") from error
    if size > MAX_INPUT_BYTES:
        words = f"the task input is {size:,} bytes; at most {MAX_INPUT_BYTES:,} are accepted"
        largest = _largest_attachment(raw.get("context"))
        raise InvalidInput(f"{words}; most of it is {largest}" if largest else words, field=largest or None)
    try:
        return TaskInput.model_validate(raw)
    except ValidationError as error:
        raise _invalid(error) from error


def _largest_attachment(context: JsonValue) -> str:
    """The key of the attachment that makes an input too large; empty where none does."""
    given = context.get("attachments") if isinstance(context, dict) else None
    sizes = {
        f"context.attachments.{place}.{key}": len(value)
        for place, each in enumerate(given if isinstance(given, list) else ())
        for key, value in (each if isinstance(each, dict) else {}).items()
        if key in ("data", "text") and isinstance(value, str)
    }
    if sum(sizes.values()) * 2 < MAX_INPUT_BYTES:
        return ""
    return max(sizes, key=lambda key: sizes[key])


def _invalid(error: ValidationError) -> InvalidInput:
    problems: list[str] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False)[:5]:
        place = ".".join(str(part) for part in item["loc"]) or "input"
        said = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
        problems.append(f"{place}: {said}")
    first = problems[0].split(":", 1)[0]
    return InvalidInput("; ".join(problems), field=first)


def _refuse_conflicts(data: TaskInput) -> None:
    context = data.context
    if context.template is not None and context.template_name is not None:
        raise InvalidInput(
            "context.template_name: an alias of context.template; give only one of them", field="context.template_name"
        )
    _refuse_template_conflicts(data)
    _refuse_skill_conflicts(data)
    if not context.disable_ai:
        return
    for name in ("model_tier", "model_override", "provider_override"):
        for place, holder in (("", data), ("context.", context)):
            if getattr(holder, name) is not None:
                raise InvalidInput(
                    f"{place}{name}: cannot be combined with context.disable_ai: true", field=f"{place}{name}"
                )


def _refuse_template_conflicts(data: TaskInput) -> None:
    context = data.context
    wanted = context.template or context.template_name
    if wanted is None:
        return
    version = named(wanted)[1]
    if version is not None and context.template_version not in (None, version):
        raise InvalidInput(
            f"context.template_version: {context.template_version} is not the version of {wanted}; give only one of them",
            field="context.template_version",
        )
    for field, value in (
        ("context.force_research", context.force_research),
        ("skill", data.skill),
        ("context.skill", context.skill),
    ):
        if value:
            raise InvalidInput(f"{field}: cannot be combined with context.template", field=field)


def _refuse_skill_conflicts(data: TaskInput) -> None:
    context = data.context
    if data.skill is None and context.skill is None:
        return
    for field, value in (
        ("mode", data.mode if data.mode != Mode.SIMPLE else None),
        ("context.force_research", context.force_research),
        ("context.system_prompt", context.system_prompt),
    ):
        if value:
            raise InvalidInput(f"{field}: cannot be combined with a skill, which drives one agent", field=field)


def _mode(data: TaskInput, workflow_mode: Mode | None) -> Mode | None:
    context = data.context
    if context.template is not None or context.template_name is not None:
        wanted: Mode | None = Mode.TEMPLATE
    elif context.force_research:
        wanted = Mode.RESEARCH
    elif data.skill is not None or context.skill is not None:
        wanted = Mode.SIMPLE
    else:
        wanted = Mode(data.mode) if data.mode is not None else None
    if workflow_mode is not None and wanted not in (None, workflow_mode):
        field = _asks_by(data)
        raise InvalidInput(
            f"{field}: asks for {wanted} mode, but this workflow type runs {workflow_mode}; start TaskWorkflow instead",
            field=field,
        )
    return workflow_mode or wanted


def _asks_by(data: TaskInput) -> str:
    """The key by which an input asks for its mode."""
    context = data.context
    for name in ("template", "template_name"):
        if getattr(context, name) is not None:
            return f"context.{name}"
    if data.skill is not None or (context.skill is not None and not context.force_research):
        return "skill" if data.skill is not None else "context.skill"
    return "context.force_research" if context.force_research else "mode"


def _refuse_without_effect(data: TaskInput, mode: Mode | None) -> None:
    context = data.context
    if mode is not Mode.RESEARCH and (field := _asks_for_research(data)):
        _without_effect(field, "context.force_research: true")
    if mode is Mode.TEMPLATE and context.template is None and context.template_name is None:
        raise InvalidInput("context.template: say which template is to run", field="context.template")
    if mode is not Mode.TEMPLATE:
        if context.template_version is not None:
            _without_effect("context.template_version", "context.template")
        if context.disable_ai:
            _without_effect("context.disable_ai", "context.template")
    _refuse_alone(data)


def _refuse_alone(data: TaskInput) -> None:
    """Refuses a key of the context without the key that it goes with."""
    context = data.context
    if context.review_timeout is not None and not (context.review_plan == "manual" or context.require_review):
        _without_effect("context.review_timeout", "context.review_plan: manual or context.require_review: true")
    if context.memory and data.user_id is None:
        _without_effect("context.memory", "user_id: what is remembered belongs to a user")
    if context.memory and context.disable_ai:
        _without_effect("context.memory", "a model (context.disable_ai: false)")
    if context.platforms is not None and context.role != "ads_research":
        _without_effect("context.platforms", "context.role: ads_research")
    if context.platforms is not None:
        _refuse_platforms(context.platforms)


def _refuse_platforms(platforms: AdsPlatforms) -> None:
    if not (platforms.google or platforms.yahoo_jp or platforms.meta):
        raise InvalidInput(
            "context.platforms: all are off, so there is nothing to ask; turn on google, yahoo_jp or meta",
            field="context.platforms",
        )
    if platforms.meta_platform != "all" and not platforms.meta:
        _without_effect("context.platforms.meta_platform", "context.platforms.meta: true")


def _asks_for_research(data: TaskInput) -> str:
    """The first key that only research obeys; empty without any."""
    context = data.context
    wanted = {f"context.{name}": getattr(context, name, None) is not None for name in _RESEARCH_ONLY}
    wanted |= {
        "research_strategy": data.research_strategy is not None,
        "enable_verification": bool(data.enable_verification),
        "context.enable_verification": bool(context.enable_verification),
        "context.require_review": bool(context.require_review),
        "context.review_plan": context.review_plan == "manual",
    }
    return next((field for field, is_given in wanted.items() if is_given), "")


def _refuse_agents_alone(data: TaskInput, mode: Mode | None) -> None:
    if mode is not Mode.SIMPLE:
        return
    for place, value in (("", data.max_concurrent_agents), ("context.", data.context.max_concurrent_agents)):
        if value is not None:
            _without_effect(f"{place}max_concurrent_agents", "a mode with several agents")


def _without_effect(field: str, needs: str) -> None:
    raise InvalidInput(f"{field}: has no effect without {needs}", field=field)


def _refuse_large_context(data: TaskInput, mode: Mode | None) -> None:
    if mode not in COPYING_MODES:
        return
    size = context_bytes(data.context)
    if size > MOST_CONTEXT_BYTES:
        raise InvalidInput(
            f"context: {size:,} bytes; each agent of {mode} mode gets a copy, so at most {MOST_CONTEXT_BYTES:,} are "
            "accepted; put long texts into the session's workspace and let agents read them",
            field="context",
        )


def context_bytes(context: TaskContext) -> int:
    """Size of a context as JSON, without attachments, which are kept elsewhere."""
    return len(context.model_dump_json(exclude_defaults=True, exclude={"attachments"}).encode())


def _resolve(data: TaskInput, mode: Mode | None, setting: Setting) -> AcceptedTask:
    context = data.context
    role = context.role or DEFAULT_ROLE
    if role not in setting.roles:
        known = ", ".join(sorted(setting.roles))
        raise InvalidInput(f"context.role: there is no role {role!r}; known roles: {known}", field="context.role")
    template, version = _template(context)
    return AcceptedTask(
        task_id=setting.workflow_id,
        session=SessionKey(
            session_id=data.session_id or setting.fresh_session_id,
            tenant_id=data.tenant_id or "",
            user_id=data.user_id or "",
        ),
        new_session=data.session_id is None,
        query=data.query,
        mode=mode,
        role=role,
        model_tier=data.model_tier or context.model_tier,
        model_override=data.model_override or context.model_override,
        provider_override=data.provider_override or context.provider_override,
        max_iterations=data.max_iterations or DEFAULT_ITERATIONS,
        asks_for_iterations=data.max_iterations is not None,
        max_concurrent_agents=data.max_concurrent_agents or context.max_concurrent_agents or DEFAULT_AGENTS,
        asks_for_agents=bool(data.max_concurrent_agents or context.max_concurrent_agents),
        research_strategy=data.research_strategy or context.research_strategy,
        enable_verification=(
            data.enable_verification if data.enable_verification is not None else context.enable_verification
        ),
        require_approval=bool(data.require_approval),
        tools=data.tools,
        skill=data.skill or context.skill,
        template=template,
        template_version=version,
        fallback_mode=Mode(data.mode) if template is not None and data.mode is not None else None,
        limits=data.limits,
        context=context,
    )


def _template(context: TaskContext) -> tuple[str | None, str | None]:
    wanted = context.template or context.template_name
    if wanted is None:
        return None, None
    name, version = named(wanted)
    return name, context.template_version or version


def _kind(raw: JsonValue) -> str:
    match raw:
        case None:
            return "nothing"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "a number"
