"""The language of texts: Jinja without what reaches out of it. What a text may say, and what it refers to."""

import json
from collections.abc import Collection, Iterator
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

NAMES: frozenset[str] = frozenset({"params", "results", "task", "context"})
"""What every text sees."""
ITEM_NAMES: frozenset[str] = frozenset({"item", "index"})
"""What the text of each item of a list sees, too."""

_REFUSED = (
    (nodes.Include, "include"),
    (nodes.Import, "import"),
    (nodes.FromImport, "import"),
    (nodes.Extends, "extends"),
    (nodes.Block, "block"),
    (nodes.Macro, "macro"),
    (nodes.CallBlock, "call"),
)
_WITHOUT_FILTERS = ("random", "attr", "urlize", "xmlattr", "pprint")
_OF_ALL = ("items", "keys", "values", "get")
"""By these a text goes through all results that are there; no node has such an id."""
_GLOBALS = ("range", "namespace")


class TextError(Exception):
    """A text cannot be used; `line` counts from 1 within it."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def environment() -> ImmutableSandboxedEnvironment:
    """What texts are read and rendered by: sandboxed, nothing may change what it is given, undefined names are errors."""
    made = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False, trim_blocks=True, lstrip_blocks=True
    )
    # the type itself would change what it is given: its methods are not among those that the sandbox watches
    known: dict[str, Any] = {name: made.globals[name] for name in _GLOBALS}
    # jinja2 says that it takes its own names alone
    made.globals = cast("Any", {**known, "dict": _dict})
    for name in _WITHOUT_FILTERS:
        del made.filters[name]
    made.filters["tojson"] = _to_json
    made.filters["fromjson"] = _from_json
    return made


def check(text: str, results: Collection[str], *, has_item: bool = False) -> None:
    """Whether a text may be rendered where these results are there.

    Raises:
        TextError: it is no Jinja, reaches out of the sandbox, or uses a name or a result that is not there.
    """
    try:
        tree = _ENVIRONMENT.parse(text)
    except TemplateSyntaxError as error:
        raise TextError(error.lineno, f"{error.message}") from error
    except RecursionError as error:
        raise TextError(1, "it is nested too deeply") from error
    for node in _all(tree):
        _check_node(node, results)
    unknown = sorted(
        _undeclared(tree) - NAMES - set(_ENVIRONMENT.globals) - (ITEM_NAMES if has_item else frozenset[str]())
    )
    if unknown:
        known = ", ".join(sorted(NAMES | (ITEM_NAMES if has_item else frozenset[str]())))
        raise TextError(1, f"there is no {unknown[0]!r}: a text sees {known}")


def lone_expression(env: ImmutableSandboxedEnvironment, text: str) -> str | None:
    """The expression of a text that is nothing but one `{{ expression }}`; its value is not made a text."""
    # comments are gone from these; the first token and the last are the braces, which say what happens to the space around
    tokens = [token for token in env.lex(text.strip()) if not token[1].startswith("comment")]
    kinds = [kind for _, kind, _ in tokens]
    if kinds[:1] != ["variable_begin"] or kinds.index("variable_end") != len(kinds) - 1:
        return None
    return "".join(words for _, _, words in tokens[1:-1])


def _check_node(node: nodes.Node, results: Collection[str]) -> None:
    if isinstance(node, nodes.Filter) and node.name not in _ENVIRONMENT.filters:
        raise TextError(node.lineno, f"there is no filter {node.name!r} here")
    if isinstance(node, nodes.Test) and node.name not in _ENVIRONMENT.tests:
        raise TextError(node.lineno, f"there is no test {node.name!r} here")
    for kind, word in _REFUSED:
        if isinstance(node, kind):
            raise TextError(node.lineno, f"{{% {word} %}} cannot be used in a text")
    name = _attribute(node)
    if name is None:
        return
    if name.startswith("_"):
        raise TextError(node.lineno, f"{name!r} is not to be reached: names that begin with _ are internal")
    if isinstance(node, nodes.Getattr) and name in _OF_ALL:
        return
    if isinstance(node, nodes.Getattr | nodes.Getitem) and _is_results(node.node) and name not in results:
        known = ", ".join(sorted(results)) or "none"
        raise TextError(
            node.lineno, f"results.{name} is not there: depend on the node {name!r} first (results here: {known})"
        )


def _attribute(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None


def _is_results(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "results"


def _all(tree: nodes.Node) -> Iterator[nodes.Node]:
    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def _undeclared(tree: nodes.Template) -> set[str]:
    # names that a loop or a `set` makes are known somewhere in the text; the strict undefined finds the rest
    read = {node.name for node in _all(tree) if isinstance(node, nodes.Name) and node.ctx == "load"}
    made = {node.name for node in _all(tree) if isinstance(node, nodes.Name) and node.ctx in ("store", "param")}
    return read - made - {"loop"}


def _dict(*given: Any, **more: object) -> dict[Any, Any]:
    return dict(*given, **more)


def _to_json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _from_json(text: str) -> Any:
    return json.loads(text)


_ENVIRONMENT = environment()
