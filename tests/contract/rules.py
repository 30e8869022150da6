"""The house rules that a linter does not know: each takes a parsed file and gives its findings as `path:line: message`."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from tests.contract.source_tree import PACKAGE, Module

Rule = Callable[[Module], list[str]]

FILE_LINES = 400
TEST_FILE_LINES = 500
FUNCTION_LINES = 60
FORBIDDEN_NAMES = frozenset({"utils", "helpers", "common", "misc", "base", "manager", "handler", "service"})
NO_BROAD_EXCEPT = frozenset({"contracts", "domain", "roles", "workflows"})
DETERMINISTIC = frozenset({"domain", "roles", "contracts", "workflows"})
MAY_PRINT = frozenset({"cli", "commands", "demo", "doctor"})

WRITES_FILES = {"contracts.export": "a developer's command; floors say that nothing imports it"}

_CLOCK = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"}
_CLOCKED = {"datetime", "date", "dt"}
_OUTSIDE = {"time", "random", "secrets", "uuid", "os", "socket", "subprocess", "threading", "tempfile", "shutil", "io"}
_DISK = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "touch", "iterdir", "glob"}
_ORDERING = {"list", "tuple", "enumerate", "iter", "zip", "map", "filter", "join", "extend", "reversed"}
_SET_TYPES = re.compile(r"^(collections\.abc\.)?(set|frozenset|Set|AbstractSet|MutableSet)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def file_length(module: Module) -> list[str]:
    """No file is longer than 400 lines, no test file longer than 500."""
    limit = TEST_FILE_LINES if module.path.parts[0] == "tests" else FILE_LINES
    lines = len(module.text.splitlines())
    return [f"{module.path}:{lines}: {lines} lines, at most {limit}: split it by what its parts own"] * (lines > limit)


def function_length(module: Module) -> list[str]:
    """No function is longer than 60 lines, its signature and docstring included."""
    return [
        module.at(node, f"{node.name} has {length} lines, at most {FUNCTION_LINES}")
        for node in _functions(module)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]


def module_docstring(module: Module) -> list[str]:
    """Every module says what it owns; an empty `__init__.py` owns nothing."""
    has_one = ast.get_docstring(module.tree) is not None or not module.text.strip()
    return [] if has_one else [f"{module.path}:1: no module docstring: say in a line or more what it owns"]


def public_docstrings(module: Module) -> list[str]:
    """Every public class and function of the package has a docstring."""
    return [module.at(node, f"{node.name} has no docstring") for node in _public(module.tree.body)]


def module_name(module: Module) -> list[str]:
    """No module or folder has a name that says nothing."""
    path = module.path.with_suffix("")
    wrong = FORBIDDEN_NAMES.intersection(part.strip("_").lower() for part in path.parts)
    return [f"{module.path}:1: the name {name!r} says nothing: name the thing it owns" for name in sorted(wrong)]


def broad_except(module: Module) -> list[str]:
    """What decides names the errors that it handles."""
    if module.floor not in NO_BROAD_EXCEPT:
        return []
    return [
        module.at(node, "broad except: name the errors that can happen here")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]


def environment(module: Module) -> list[str]:
    """Only config.py reads the environment."""
    if module.name == "config":
        return []
    message = "the environment is read in config.py only: take the value by constructor"
    return [module.at(node, message) for node in ast.walk(module.tree) if _reads_environment(node)]


def determinism(module: Module) -> list[str]:
    """No clock, chance, uuid or disk where code is replayed or pure."""
    if module.floor not in DETERMINISTIC or module.name in WRITES_FILES:
        return []
    found: list[str] = []
    for node in ast.walk(module.tree):
        what = _outside_import(node) or _clock_or_disk(node)
        if what:
            found.append(module.at(node, f"{what}: {module.floor} has no clock, chance or I/O of its own"))
    return found


def printing(module: Module) -> list[str]:
    """Only the command line prints."""
    if module.floor in MAY_PRINT:
        return []
    return [module.at(node, "print: log it, or return it") for node in ast.walk(module.tree) if _calls(node, "print")]


def set_order(module: Module) -> list[str]:
    """Workflow code never depends on the order of a set, which differs from process to process."""
    if module.floor != "workflows":
        return []
    sets = _names_of_sets(module.tree)
    message = "order of a set differs between processes: sort it, or keep a list or dict"
    return [
        module.at(node, message)
        for node in ast.walk(module.tree)
        if any(_is_set(value, sets) for value in _ordered_by(node))
    ]


def await_in_finally(module: Module) -> list[str]:
    """Workflow code can be thrown away with its worker at any await: then its `finally` runs outside of a loop."""
    if module.floor != "workflows":
        return []
    message = "await in a finally block: the garbage collector runs it too; use together.Scope"
    return [
        module.at(node, message)
        for block in ast.walk(module.tree)
        if isinstance(block, ast.Try)
        for statement in block.finalbody
        for node in ast.walk(statement)
        if isinstance(node, ast.Await | ast.AsyncWith | ast.AsyncFor)
    ]


def unfinished(path: PurePosixPath, text: str) -> list[str]:
    """Nothing is left for later in a comment."""
    words = re.compile("|".join(rf"\b{first}{rest}\b" for first, rest in (("TO", "DO"), ("FIX", "ME"), ("X", "XX"))))
    return _lines(path, text, words, "unfinished work: do it, or write an issue")


def registry_addresses(path: PurePosixPath, text: str) -> list[str]:
    """No file names where packages come from: that belongs to each machine's own settings."""
    hosts = ("pypi" + r"\.org", "python" + r"hosted\.org", "registry" + r"\.npmjs", "/simp" + r"le/?(\s|$|\")")
    options = r"^\s*--(extra-)?index-url\b|^\s*--find-links\b|^\s*-i\s+\S+://"
    return _lines(path, text, re.compile("|".join((*hosts, options)), re.MULTILINE), "address of a package registry")


MODULE_RULES: Mapping[str, Rule] = {
    "file length": file_length,
    "function length": function_length,
    "module docstring": module_docstring,
    "module name": module_name,
}
SOURCE_RULES: Mapping[str, Rule] = {
    "public docstrings": public_docstrings,
    "broad except": broad_except,
    "environment": environment,
    "determinism": determinism,
    "printing": printing,
    "set order": set_order,
    "await in finally": await_in_finally,
}
TEXT_RULES: Mapping[str, Callable[[PurePosixPath, str], list[str]]] = {
    "unfinished work": unfinished,
    "registry addresses": registry_addresses,
}


def _functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def _public(body: list[ast.stmt]) -> Iterator[Function | ast.ClassDef]:
    for node in body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        is_overload = any(ast.unparse(name).endswith("overload") for name in node.decorator_list)
        if ast.get_docstring(node) is None and not is_overload:
            yield node
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body)


def _is_broad(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(one is None or ast.unparse(one).split(".")[-1] in {"Exception", "BaseException"} for one in kinds)


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(alias.name in {"environ", "environb", "getenv", "getenvb"} for alias in node.names)
    return isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"} and _is_os(node.value)


def _is_os(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "os"


def _outside_import(node: ast.AST) -> str | None:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and not node.level:
        names = [node.module or ""]
    wrong = [name for name in names if name.split(".")[0] in _OUTSIDE]
    return f"import of {wrong[0]}" if wrong else None


def _clock_or_disk(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name):
        return "open" if node.func.id == "open" else None
    if not isinstance(node.func, ast.Attribute):
        return None
    called = node.func.attr
    if called in _CLOCK and ast.unparse(node.func.value).split(".")[-1] in _CLOCKED:
        return ast.unparse(node.func)
    return f".{called}()" if called in _DISK else None


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _names_of_sets(tree: ast.AST) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and _SET_TYPES.match(ast.unparse(node.annotation)):
            found.add(ast.unparse(node.target))
        elif isinstance(node, ast.arg) and node.annotation and _SET_TYPES.match(ast.unparse(node.annotation)):
            found.add(node.arg)
        elif isinstance(node, ast.Assign) and _is_set(node.value, frozenset()):
            found.update(ast.unparse(target) for target in node.targets)
    return frozenset(found)


def _is_set(node: ast.expr, names: frozenset[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp) or _calls(node, "set") or _calls(node, "frozenset"):
        return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub | ast.BitXor):
        return _is_set(node.left, names) or _is_set(node.right, names)
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in names


def _ordered_by(node: ast.AST) -> list[ast.expr]:
    """The values whose order this node follows."""
    if isinstance(node, ast.For | ast.AsyncFor):
        return [node.iter]
    if isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp):
        return [generator.iter for generator in node.generators]
    if isinstance(node, ast.Starred):
        return [node.value]
    if not isinstance(node, ast.Call):
        return []
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if name == "pop" and isinstance(node.func, ast.Attribute) and not node.args:
        return [node.func.value]
    return list(node.args) if name in _ORDERING else []


def _lines(path: PurePosixPath, text: str, pattern: re.Pattern[str], message: str) -> list[str]:
    return [
        f"{path}:{number}: {message}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def where(path: str) -> PurePosixPath:
    """Path of a file of the package, as the rules see it."""
    return PurePosixPath("src") / PACKAGE / path
