"""Arrows between the parts of the package go down only. The tables below are the law, and its documentation."""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.contract.source_tree import PACKAGE, Module, modules

ALL = ("*",)

RUN = (
    *(
        "workflows.run",
        "workflows.reviews",
        "workflows.control",
        "workflows.crew",
        "workflows.approvals",
        "workflows.milestones",
    ),
)

ALLOWED: Mapping[str, tuple[str, ...]] = {
    # part of the package -> the parts that it may import; the longest name that fits a module is its row
    "contracts": ("contracts",),
    "domain": ("domain", "contracts"),
    "roles": ("roles", "contracts"),
    "stores": ("stores", "contracts"),
    "activities": ("activities", "stores.ports", "stores.archive.port", "roles", "domain", "contracts"),
    # what a vendor's adapter may know, wherever it comes from: the port and how tools are made
    "adapters": ("adapters", "activities.vendors.port", "activities.tools.registry", "contracts"),
    # inside workflows: types -> lifecycle, agent -> modes -> conclusion -> strategies -> patterns -> team -> run
    # -> approvals, crew, control -> milestones, children -> steps
    "workflows": (),
    "workflows.registry": ("workflows.types",),
    "workflows.types": ("workflows.lifecycle", "workflows.agent", "workflows.bugs", "contracts"),
    "workflows.lifecycle": (
        *("workflows.opening", "workflows.endings", "workflows.carrying", "workflows.modes", "workflows.limits"),
        "workflows.remembering",
        *("workflows.answer", "workflows.bugs", *RUN, "workflows.steps", "domain", "roles", "contracts"),
    ),
    "workflows.agent": (
        *("workflows.strategies", "workflows.limits", "workflows.answer", "workflows.bugs", *RUN),
        *("workflows.children", "workflows.steps", "domain", "contracts"),
    ),
    "workflows.carrying": ("workflows.answer", *RUN, "domain", "contracts"),
    "workflows.opening": (
        "workflows.modes",
        "workflows.model_calls",
        "workflows.run",
        "workflows.steps",
        "domain",
        "roles",
        "contracts",
    ),
    "workflows.remembering": (
        *("workflows.model_calls", "workflows.answer", "workflows.bugs", "workflows.run", "workflows.steps"),
        *("domain", "roles", "contracts"),
    ),
    "workflows.endings": (
        *("workflows.answer", "workflows.run", "workflows.milestones", "workflows.steps"),
        *("domain", "roles", "contracts"),
    ),
    "workflows.limits": ("workflows.run", "workflows.together", "workflows.steps", "contracts"),
    "workflows.modes": ("workflows.modes", "workflows.answer", "workflows.run", "contracts"),
    "workflows.modes.*": (
        *(
            "workflows.patterns",
            "workflows.conclusion",
            "workflows.consent",
            "workflows.leading",
            "workflows.skilled",
            "workflows.together",
        ),
        *("workflows.control", "workflows.model_calls", "workflows.strategies"),
        *("workflows.team", "workflows.answer", "workflows.run", "domain", "roles", "contracts"),
    ),
    "workflows.conclusion": ("workflows.strategies", "workflows.answer", "workflows.run", "domain", "contracts"),
    "workflows.consent": ("workflows.approvals", "workflows.run", "domain", "roles", "contracts"),
    "workflows.parts": ("workflows.run", "domain", "contracts"),
    "workflows.skilled": ("workflows.run", "contracts"),
    "workflows.leading": (
        *("workflows.patterns.synthesis", "workflows.conclusion", "workflows.model_calls", "workflows.supervision"),
        *("workflows.together", "workflows.answer", "workflows.run", "domain", "roles", "contracts"),
    ),
    "workflows.supervision": (
        *("workflows.team", "workflows.together", "workflows.run", "domain", "roles", "contracts"),
    ),
    "workflows.strategies": (
        "workflows.patterns",
        "workflows.control",
        "workflows.model_calls",
        "workflows.answer",
        "workflows.run",
        "domain",
        "roles",
        "contracts",
    ),
    "workflows.patterns": (),
    "workflows.model_calls": ("workflows.run", "workflows.together", "workflows.steps", "domain", "roles", "contracts"),
    "workflows.patterns.*": (
        *(
            "workflows.control",
            "workflows.model_calls",
            "workflows.tool_calls",
            "workflows.together",
            "workflows.answer",
            "workflows.run",
        ),
        *("domain", "roles", "contracts"),
    ),
    "workflows.patterns.research": (),
    "workflows.patterns.research.*": (
        *("workflows.patterns.research", "workflows.patterns.dag", "workflows.team", "workflows.consent"),
        *("workflows.model_calls", "workflows.tool_calls", "workflows.together", "workflows.run"),
        *("domain", "roles", "contracts"),
    ),
    "workflows.patterns.template": (),
    "workflows.patterns.template.*": (
        *("workflows.patterns.template", "workflows.patterns.dag", "workflows.leading", "workflows.parts"),
        "workflows.team",
        *("workflows.consent", "workflows.control", "workflows.tool_calls", "workflows.together", "workflows.answer"),
        *("workflows.run", "workflows.steps", "domain", "contracts"),
    ),
    "workflows.reviews": ("workflows.control", "workflows.milestones", "workflows.steps", "contracts"),
    "workflows.team": ("workflows.children", "workflows.run", "domain", "contracts"),
    "workflows.tool_calls": (
        *("workflows.approvals", "workflows.children", "workflows.run", "workflows.together", "workflows.steps"),
        *("domain", "contracts"),
    ),
    "workflows.run": (
        *("workflows.approvals", "workflows.reviews", "workflows.crew", "workflows.control", "workflows.milestones"),
        *("workflows.steps", "domain", "roles", "contracts"),
    ),
    "workflows.answer": ("contracts",),
    "workflows.bugs": (),
    "workflows.together": (),
    "workflows.approvals": (
        *("workflows.control", "workflows.children", "workflows.milestones", "workflows.steps", "contracts"),
    ),
    "workflows.crew": ("workflows.children", "workflows.control", "contracts"),
    "workflows.control": ("workflows.together", "workflows.milestones", "workflows.steps", "domain", "contracts"),
    "workflows.milestones": ("workflows.steps", "contracts"),
    "workflows.children": ("workflows.together", "workflows.steps", "contracts"),
    "workflows.steps": ("workflows.failing", "activities", "domain", "contracts"),
    "workflows.failing": ("contracts",),
    # around them
    "config": ("contracts",),
    "logs": ("config", "contracts"),
    "health": (),
    "runtime": ("config", "contracts"),
    "sandbox": (),
    "browsing": ("activities.tools", "runtime", "config", "stores"),
    "embedded": ("embedded", "runtime", "config", "contracts", "stores"),
    "tracing": (),
    "offering": ("activities.tools.registry", "stores", "contracts"),
    "client": ("tracing", "domain", "contracts"),
    # checks a task by the rules that the workflow checks it by, and starts it by name; no row for workflows
    "gateway": ("gateway", "client", "tracing", "runtime", "config", "logs", "stores", "domain", "roles", "contracts"),
    # what models are called is the catalogue's to say; that they can be used only workers know, who have the keys
    "gateway.backend": (*("gateway", "activities.llm.catalogue", "config", "stores"),),
    # which templates there are is for their library to say
    "gateway.offers": ("activities.library", "activities.tools.allowance", "stores", "domain", "contracts", "config"),
    "gateway.wire.lists": ("activities.library.templates", "roles", "contracts"),
    "gateway.openai.models": ("gateway", "activities.llm.catalogue", "contracts"),
    # tells whether the models of the environment are usable, else starts one of its own
    "embedded.dev": ("embedded", "activities.llm.catalogue", "runtime", "config", "contracts", "stores"),
    "worker": ALL,
    "toolbox": ("activities", "stores", "config"),
    "cli": ALL,
    "commands": ALL,
    "doctor": ALL,
    "demo": ALL,
    "__main__": ALL,
    "": (),
}

LIBRARIES: Mapping[str, frozenset[str]] = {
    # what decides or describes depends on no server and no provider
    "contracts": frozenset({"pydantic"}),
    "domain": frozenset({"pydantic"}),
    "domain.versions": frozenset({"semver"}),
    "domain.cron": frozenset({"cronsim"}),
    "domain.research": frozenset({"pydantic", "markdown_it"}),
    "roles": frozenset({"pydantic"}),
    "workflows.modes": frozenset({"pydantic"}),
    "workflows.patterns": frozenset({"pydantic"}),
    "workflows": frozenset({"pydantic", "temporalio"}),
    "stores": frozenset({"pydantic", "redis"}),
    "stores.archive": frozenset({"pydantic", "sqlalchemy", "alembic"}),
}

CALLED_BY_NAME_ONLY = {"contracts.export": "a developer's command that writes files; contracts are data"}


def row_of(name: str, table: Mapping[str, object]) -> str | None:
    """The row of a module: its own, else its folder's `folder.*`, else the nearest folder above."""
    if name in table:
        return name
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        folder = ".".join(parts[:end])
        for row in (f"{folder}.*", folder):
            if row in table:
                return row
    return None


def imports(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every import, wherever it stands, with the full dotted name of what is imported."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            yield from ((node, f"{origin}.{alias.name}") for alias in node.names)


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = [PACKAGE, *module.name.split(".")]
    up = node.level - (1 if module.path.name == "__init__.py" else 0)
    return ".".join([*package[: len(package) - up], *([node.module] if node.module else [])])


def _is_below(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def forbidden_arrows(module: Module) -> list[str]:
    """Imports of our own that the table does not allow."""
    row = row_of(module.name, ALLOWED)
    if row is None:
        return [f"{module.path}:1: {module.name} has no row in the table of allowed arrows; add one to test_floors.py"]
    allowed = ALLOWED[row]
    found: list[str] = []
    for node, name in imports(module):
        target = name.removeprefix(PACKAGE).removeprefix(".")
        if not _is_below(name, PACKAGE) or allowed == ALL or target == "__version__":
            continue
        if not any(_is_below(target, part) for part in allowed):
            may = ", ".join(allowed) or "nothing of ours"
            found.append(module.at(node, f"{module.name or PACKAGE} imports {target or PACKAGE}; it may import {may}"))
    return found


def forbidden_libraries(module: Module) -> list[str]:
    """Imports of libraries that a floor may not know."""
    row = row_of(module.name, LIBRARIES)
    if row is None:
        return []
    known = LIBRARIES[row] | _standard_library() | {PACKAGE}
    return [
        module.at(node, f"{row} must not know {name.split('.')[0]}")
        for node, name in imports(module)
        if not name.startswith(".") and name.split(".")[0] not in known
    ]


def _standard_library() -> frozenset[str]:
    return frozenset(sys.stdlib_module_names)


def _all(found: list[list[str]]) -> str:
    return "\n".join(line for lines in found for line in lines)


def test_every_import_of_ours_follows_an_allowed_arrow() -> None:
    wrong = _all([forbidden_arrows(module) for module in modules("src")])
    assert not wrong, f"\n{wrong}"


def test_floors_that_decide_or_describe_know_no_server_and_no_provider() -> None:
    wrong = _all([forbidden_libraries(module) for module in modules("src")])
    assert not wrong, f"\n{wrong}"


def test_only_the_door_reaches_activities() -> None:
    reaching = {
        module.name
        for module in modules("src/theseus/workflows")
        for _, name in imports(module)
        if _is_below(name, "theseus.activities")
    }
    assert reaching == {"workflows.steps"}


def test_no_module_imports_a_command() -> None:
    wrong = [
        module.at(node, f"imports {command}: {why}")
        for module in modules("src")
        for node, name in imports(module)
        for command, why in CALLED_BY_NAME_ONLY.items()
        if _is_below(name, f"{PACKAGE}.{command}")
    ]
    assert not wrong, "\n".join(wrong)


def test_our_modules_import_each_other_in_no_circle() -> None:
    known = {module.name: module for module in modules("src")}
    arrows = {name: _targets(module, known) for name, module in known.items()}
    while True:
        free = {name for name, targets in arrows.items() if not targets}
        if not free:
            break
        arrows = {name: targets - free for name, targets in arrows.items() if name not in free}
    assert not arrows, f"in or above a circle: {sorted(arrows)}"


def _targets(module: Module, known: Mapping[str, Module]) -> set[str]:
    found: set[str] = set()
    for _, name in imports(module):
        target = name.removeprefix(f"{PACKAGE}.")
        if name == target:
            continue
        found.add(target if target in known else target.rpartition(".")[0])
    return (found & known.keys()) - {module.name, ""}


PLANTED = {
    "contracts know nothing of ours": ("contracts/task.py", "from theseus.domain import budget"),
    "rules know no stores": ("domain/budget.py", "from theseus.stores.ports import EventLog"),
    "activities know ports only": ("activities/events.py", "from theseus.stores.redis import RedisEvents"),
    "activities get settings by constructor": ("activities/events.py", "from theseus.config import Settings"),
    "no second door": ("workflows/run.py", "from theseus.activities.events import EventActivities"),
    "no mode imports a mode": ("workflows/modes/standard.py", "from theseus.workflows.modes.simple import simple"),
    "nor by a relative import": ("workflows/modes/standard.py", "from . import simple"),
    "no pattern imports a pattern": ("workflows/patterns/dag.py", "from theseus.workflows.patterns import react"),
    "patterns reach the world through run": ("workflows/patterns/dag.py", "from theseus.workflows import steps"),
    "no arrow up": ("workflows/run.py", "from theseus.workflows.lifecycle import Lifecycle"),
    "not in a function either": ("domain/budget.py", "def f():\n    from theseus.worker import main"),
    "nor for types only": ("domain/budget.py", "if TYPE_CHECKING:\n    from theseus.worker import main"),
    "gateways know no workflow": ("gateway/http.py", "import theseus.workflows.types"),
    "every part has a row": ("plumbing/pipes.py", "import json"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_arrow_is_found(case: str, tmp_path: Path) -> None:
    path, text = PLANTED[case]
    assert forbidden_arrows(_plant(tmp_path, path, text)), case


@pytest.mark.parametrize("path", ["domain/x.py", "contracts/x.py", "workflows/modes/x.py", "workflows/patterns/x.py"])
def test_a_planted_library_is_found(path: str, tmp_path: Path) -> None:
    assert forbidden_libraries(_plant(tmp_path, path, "from temporalio import workflow"))


def _plant(root: Path, path: str, text: str) -> Module:
    file = root / "src" / PACKAGE / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return Module.read(file, root)
