"""`theseus templates` and `theseus skills`: what the folders of the settings hold, looked at without any server."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import yaml
from pydantic import JsonValue

from theseus.activities.library.documents import LibraryError
from theseus.activities.library.rendering import Rendering
from theseus.activities.library.shelf import library_folders
from theseus.activities.library.skills import Skills
from theseus.activities.library.templates import Found, Templates
from theseus.commands.options import Json
from theseus.commands.terminal import BAD_TASK, CANNOT_START, CommandError, out, say
from theseus.config import load
from theseus.contracts.errors import InvalidInput
from theseus.contracts.skill import Skill
from theseus.contracts.template import OUTPUT, RenderNode, RenderRequest, Template, TextToRender
from theseus.domain.templates.binding import bound
from theseus.domain.templates.soundness import dependencies, needs_model
from theseus.domain.versions import named

templates = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show, check and render templates.")
skills = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show and check skills.")

Reference = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", help="Without a version the newest.")]
Files = Annotated[
    list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="Instead of the folders of the settings.")
]


@templates.command("list")
def list_templates(as_json: Json = False) -> None:
    """List all templates, with what each needs."""
    found = _templates()
    rows: list[dict[str, JsonValue]] = []
    for name in found.names():
        template = _sound(found, name)
        if template is not None:
            rows.append(_row(template.template))
    _tell(rows, ("name", "version", "needs", "description"), as_json=as_json)
    _warn(found.contents.problems, "templates")


@templates.command("show")
def show_template(reference: Reference, as_json: Json = False) -> None:
    """Show a template with all that it extends, as it runs."""
    found = _named_template(reference)
    data = found.template.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    shown = {"version": found.template.version, **data}
    if as_json:
        out(json.dumps({**shown, "content_hash": found.content_hash}, ensure_ascii=False))
        return
    out(f"# content hash {found.content_hash}\n{yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)}".rstrip())


@templates.command("validate")
def validate_templates(folders: Files = None) -> None:
    """Check all templates; exit 1 if one is wrong.

    Whether a worker has the tools that they name is checked when a task starts.
    """
    found = Templates(folders) if folders else _templates()
    _judge(found.problems(), f"{len(found.names())} templates are sound")


@templates.command("render")
def render_template(
    reference: Reference,
    query: Annotated[str, typer.Option("--query", help="What texts see as task.query.")] = "",
    params: Annotated[str, typer.Option("--params", metavar="JSON", help="The parameters.")] = "{}",
    result: Annotated[
        list[str] | None, typer.Option("--result", metavar="ID=TEXT", help="Stands for the result of a node.")
    ] = None,
) -> None:
    """Render a template's texts here, without a task.

    Nodes that call a tool or a model are not run: --result says what they brought.
    """
    found = _named_template(reference)
    out(asyncio.run(_rendered(found.template, query, _object(params, "--params"), _results(result or []))))


@skills.command("list")
def list_skills(as_json: Json = False) -> None:
    """List all skills, with what each requires."""
    found = _skills()
    rows: list[dict[str, JsonValue]] = [
        {
            "name": item.value.head.name,
            "version": item.value.head.version,
            "needs": ", ".join([*item.value.head.requires_tools, *(["approval"] if item.value.head.dangerous else [])]),
            "description": item.value.head.description,
        }
        for item in found.contents.all()
    ]
    _tell(rows, ("name", "version", "needs", "description"), as_json=as_json)
    _warn(found.contents.problems, "skills")


@skills.command("show")
def show_skill(reference: Reference, as_json: Json = False) -> None:
    """Show a skill."""
    skill = _named_skill(reference)
    if as_json:
        out(skill.model_dump_json())
        return
    head = yaml.safe_dump(
        skill.head.model_dump(mode="json", exclude_defaults=True), sort_keys=False, allow_unicode=True
    )
    out(f"---\n{head}---\n{skill.body}")


@skills.command("validate")
def validate_skills(folders: Files = None) -> None:
    """Check all skills; exit 1 if one is wrong."""
    found = Skills(folders) if folders else _skills()
    _judge(found.contents.problems, f"{len(found.names())} skills are sound")


def _templates() -> Templates:
    return Templates(library_folders(load().templates, "templates"))


def _skills() -> Skills:
    return Skills(library_folders(load().skills, "skills"))


def _named_template(reference: str) -> Found:
    found = _templates()
    try:
        template = found.find(*named(reference))
    except LibraryError as error:
        raise CommandError(str(error)) from error
    if template is None:
        raise CommandError(f"there is no template {reference!r}; templates: {', '.join(found.names()) or 'none'}")
    return template


def _named_skill(reference: str) -> Skill:
    found = _skills()
    try:
        skill = found.find(*named(reference))
    except LibraryError as error:
        raise CommandError(str(error)) from error
    if skill is None:
        raise CommandError(f"there is no skill {reference!r}; skills: {', '.join(found.names()) or 'none'}")
    return skill


def _sound(found: Templates, name: str) -> Found | None:
    try:
        return found.find(*named(name))
    except LibraryError as error:
        say(str(error))
        return None


def _row(template: Template) -> dict[str, JsonValue]:
    asking = needs_model(template)
    needs = [
        *(["a model"] if asking else []),
        *(name for name, parameter in template.parameters.items() if parameter.required),
    ]
    return {
        "name": template.name,
        "version": template.version,
        "needs": ", ".join(needs),
        "description": template.description,
    }


def _tell(rows: Sequence[Mapping[str, JsonValue]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        out(json.dumps(rows, ensure_ascii=False))
        return
    widths = {name: max((len(str(row[name])) for row in rows), default=0) for name in columns[:-1]}
    for row in rows:
        head = "  ".join(str(row[name]).ljust(width) for name, width in widths.items())
        out(f"{head}  {row[columns[-1]]}".rstrip())


def _warn(problems: Sequence[str], what: str) -> None:
    if problems:
        say(f"{len(problems)} files cannot be used; `theseus {what} validate` says why")


def _judge(problems: Sequence[str], sound: str) -> None:
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(BAD_TASK)
    out(sound)


def _object(text: str, option: str) -> dict[str, JsonValue]:
    try:
        value: JsonValue = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{option}: no JSON: {error}", CANNOT_START) from error
    if not isinstance(value, dict):
        raise CommandError(f'{option}: it has to be an object such as {{"week": "2025-W44"}}', CANNOT_START)
    return value


def _results(given: Sequence[str]) -> dict[str, str]:
    parts = [each.partition("=") for each in given]
    wrong = [name for name, sign, _ in parts if not sign]
    if wrong:
        raise CommandError(f"--result {wrong[0]}: say ID=TEXT", CANNOT_START)
    return {name: text for name, _, text in parts}


async def _rendered(template: Template, query: str, params: Mapping[str, JsonValue], results: Mapping[str, str]) -> str:
    try:
        values = bound(template, params)
    except InvalidInput as error:
        raise CommandError(error.message.replace("context.prompt_params.", "--params: ")) from error
    texts = [TextToRender(id=n.id, source=n.text, is_result=True) for n in _in_order(template) if n.id not in results]
    output = template.output or "\n\n".join(f"{{{{ results.{text.id} }}}}" for text in texts)
    texts.append(TextToRender(id=OUTPUT, source=output))
    task: dict[str, JsonValue] = {name: "" for name in ("task_id", "session_id", "user_id", "tenant_id")}
    task |= {"query": query, "date": datetime.now(UTC).date().isoformat(), "attachments": []}
    async with Rendering() as rendering:
        made = await rendering.render(
            RenderRequest(texts=tuple(texts), params=values, results=dict(results), task=task)
        )
    if made.failed:
        told = "\n".join(f"{name}: {why}" for name, why in made.failed.items())
        raise CommandError(f"not all of {template.name} can be rendered (see --result):\n{told}")
    return str(made.values[OUTPUT])


def _in_order(template: Template) -> list[RenderNode]:
    needed = dependencies(template)
    waiting = [node for node in template.nodes if isinstance(node, RenderNode)]
    found: list[RenderNode] = []
    while waiting:
        ids = {node.id for node in waiting}
        ready = [node for node in waiting if ids.isdisjoint(needed[node.id])]
        found += ready
        waiting = [node for node in waiting if node not in ready]
    return found
