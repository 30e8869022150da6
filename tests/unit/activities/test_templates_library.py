"""A template file that is not sound is refused, with file, line and field, before any task runs it."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import yaml

from theseus.activities.library.documents import LibraryError
from theseus.activities.library.shelf import library_folders
from theseus.activities.library.templates import Found, Templates, unusable
from theseus.contracts.template import RenderNode
from theseus.contracts.tools import Effect
from theseus.roles.presets import PRESETS

HEAD = "name: t\nversion: 1.0.0\n"
ONE = "nodes:\n  - {id: a, type: render, text: A}\n"


def many(count: int) -> str:
    return "nodes:\n" + "".join(f"  - {{id: n{number}, type: render, text: A}}\n" for number in range(count))


ATTACKS: dict[str, tuple[str | bytes, str]] = {
    # what it is: the file, and what has to be said of it
    "an alias bomb": (HEAD + "metadata: {a: &a [x, x], b: &b [*a, *a], c: [*b, *b]}\n" + ONE, "anchors and aliases"),
    "lists without end": ("[" * 60_000, "nested more than 100 deep"),
    "mappings without end": ("{a: " * 5_000, "nested more than 100 deep"),
    "ten thousand nodes": (HEAD + many(10_000), "larger than"),
    "five thousand nodes": (HEAD + many(5_500), "more than 20000 parts"),
    "a hundred and one nodes": (HEAD + many(101), "nodes: "),
    "a huge file": (HEAD + "description: " + "x" * 300_000, "larger than"),
    "no YAML": (HEAD + "nodes: [", "line "),
    "no text": (b"\xff\xfe\x00", "not UTF-8"),
    "no mapping": ("- a\n- b\n", "mapping"),
    "a Python object": (HEAD + "nodes: !!python/object/apply:os.system ['true']\n", "nodes"),
    "a key twice": (HEAD + ONE + "name: u\n", "line 5: name: is there twice"),
    "an unknown key": (HEAD + "nods: []\n" + ONE, "line 3: nods: unknown key"),
    "an unknown key of a node": (
        HEAD + "nodes:\n  - id: a\n    type: render\n    txt: A\n    text: B\n",
        "line 6: nodes.0.txt",
    ),
    "an unknown type": (HEAD + "nodes:\n  - {id: a, type: shell, text: ls}\n", "line 4: nodes.0"),
    "no nodes": (HEAD + "nodes: []\n", "nodes"),
    "no name": ("version: 1.0.0\n" + ONE, "name: a template has a name"),
    "a path for a name": ("name: ../../etc/passwd\n" + ONE, "line 1: name"),
    "no version": ("name: t\nversion: latest\n" + ONE, "line 2: version: 'latest' is no semantic version"),
    "a number for a version": ("name: t\nversion: 1.0\n" + ONE, "version"),
    "one id twice": (
        HEAD + "nodes:\n  - {id: a, type: render, text: A}\n  - {id: a, type: render, text: B}\n",
        "line 5: nodes.1.id",
    ),
    "a circle": (
        HEAD
        + "nodes:\n  - {id: a, type: render, text: A, depends_on: [b]}\n  - {id: b, type: render, text: B, depends_on: [a]}\n",
        "circle: ",
    ),
    "a circle by edges": (HEAD + ONE + "edges: [{from: a, to: a}]\n", "circle: a -> a"),
    "an edge to nowhere": (HEAD + ONE + "edges: [{from: a, to: z}]\n", "line 5: edges.0.to: there is no node 'z'"),
    "a dependency on nothing": (
        HEAD + "nodes:\n  - {id: a, type: render, text: A, depends_on: [z]}\n",
        "there is no node 'z'",
    ),
    "a reach for attributes": (
        HEAD + "nodes:\n  - {id: a, type: render, text: \"{{ ''.__class__.__mro__ }}\"}\n",
        "'__mro__' is not to be reached",
    ),
    "a reach by subscript": (
        HEAD + "nodes:\n  - {id: a, type: render, text: \"{{ params['__class__'] }}\"}\n",
        "is not to be reached",
    ),
    "the attr filter": (HEAD + "nodes:\n  - {id: a, type: render, text: \"{{ params | attr('x') }}\"}\n", "attr"),
    "a file": (HEAD + "nodes:\n  - {id: a, type: render, text: \"{% include '/etc/passwd' %}\"}\n", "include"),
    "an import": (HEAD + "nodes:\n  - {id: a, type: render, text: \"{% import 'os' as os %}\"}\n", "import"),
    "a macro": (HEAD + 'nodes:\n  - {id: a, type: render, text: "{% macro m() %}{{ m() }}{% endmacro %}"}\n', "macro"),
    "no Jinja": (HEAD + 'nodes:\n  - {id: a, type: render, text: "{{ params.x "}\n', "line 4: nodes.0.text"),
    "a name that is not there": (
        HEAD + 'nodes:\n  - {id: a, type: render, text: "{{ environ.HOME }}"}\n',
        "there is no 'environ'",
    ),
    "the engine's own names": (
        HEAD + 'nodes:\n  - {id: a, type: render, text: "{{ self.x }}{{ lipsum }}"}\n',
        "there is no 'lipsum'",
    ),
    "a result from nowhere": (
        HEAD + 'nodes:\n  - {id: a, type: render, text: "{{ results.b }}"}\n',
        "results.b is not there",
    ),
    "a result of what comes later": (
        HEAD + 'nodes:\n  - {id: a, type: render, text: "{{ results.b }}"}\n  - {id: b, type: render, text: B}\n',
        "depend on the node 'b' first",
    ),
    "an output of nothing": (HEAD + ONE + "output: '{{ results.z }}'\n", "line 5: output: results.z is not there"),
    "an item without a list": (HEAD + 'nodes:\n  - {id: a, type: render, text: "{{ item }}"}\n', "there is no 'item'"),
    "itself as a base": ("name: t\nextends: t\n" + ONE, "circle: t@1.0.0 -> t@1.0.0"),
    "a base that is not there": (
        "name: t\nextends: [other@2.0.0]\n" + ONE,
        "line 2: extends.0: there is no template 'other@2.0.0'",
    ),
    "bases that are no names": ("name: t\nextends: [[t]]\n" + ONE, "extends"),
    "a retry of a text": (HEAD + "nodes:\n  - {id: a, type: render, text: A, on_fail: {retry: 2}}\n", "on_fail.retry"),
    "a ladder that leads nowhere": (
        HEAD + "nodes:\n  - {id: a, type: simple, on_fail: {degrade_to: react}}\n",
        "on_fail.degrade_to",
    ),
    "an escalation of a text": (
        HEAD + "nodes:\n  - {id: a, type: render, text: A, on_fail: {escalate_to: large}}\n",
        "on_fail.escalate_to",
    ),
    "an id that texts cannot name": (HEAD + "nodes:\n  - {id: items, type: render, text: A}\n", "line 4: nodes.0.id"),
    "a parameter that texts cannot name": (HEAD + "parameters: {keys: {}}\n" + ONE, "line 3: parameters.keys"),
    "a thousand retries": (HEAD + "nodes:\n  - {id: a, type: simple, on_fail: {retry: 1000}}\n", "on_fail.retry"),
    "more budget than allowed": (
        HEAD + "defaults: {budget_agent_max: 500}\nnodes:\n  - {id: a, type: simple, budget_max: 501}\n",
        "line 5: nodes.0.budget_max",
    ),
    "agents twice": (
        HEAD
        + "nodes:\n  - {id: a, type: dag, tasks: [{id: x, prompt: p}], parallel_by: '{{ params.x }}', each: {prompt: p}}\n",
        "give tasks, or parallel_by",
    ),
    "no agents": (HEAD + "nodes:\n  - {id: a, type: dag}\n", "give tasks, or parallel_by"),
    "agents in a circle": (
        HEAD + "nodes:\n  - {id: a, type: dag, tasks: [{id: x, prompt: p, depends_on: [x]}]}\n",
        "circle: x -> x",
    ),
    "a default of another type": (
        HEAD + "parameters: {n: {type: integer, default: many}}\n" + ONE,
        "line 3: parameters.n.default",
    ),
    "a required default": (HEAD + "parameters: {n: {required: true, default: x}}\n" + ONE, "line 3: parameters.n"),
    "a number that is none": (HEAD + "metadata: {a: .nan}\n" + ONE, "metadata"),
}


def found(folder: Path, text: str | bytes) -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "t.yaml").write_bytes(data)
    templates = Templates([folder])
    problems = templates.contents.problems
    if problems:
        raise LibraryError(problems[0])
    return templates.find("t")


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_with_its_place(attack: str, tmp_path: Path) -> None:
    text, said = ATTACKS[attack]
    began = time.process_time()
    with pytest.raises(LibraryError) as refused:
        found(tmp_path, text)
    assert said in str(refused.value)
    assert str(tmp_path / "t.yaml") in str(refused.value), "the file is named"
    assert time.process_time() - began < 5


def test_a_tool_that_is_gone_and_an_unknown_role_are_told_with_their_place(tmp_path: Path) -> None:
    text = (
        HEAD + "nodes:\n  - {id: a, type: tool, tool: gone, arguments: {}}\n  - {id: b, type: simple, role: wizard}\n"
        "  - {id: c, type: simple, tools: ['file_*', no_such]}\n  - {id: d, type: tool, tool: file_write, on_fail: {retry: 1}}\n"
    )
    tools = {"file_read": Effect.READ, "file_write": Effect.WRITE}
    problem = unusable(found(tmp_path, text), tools, PRESETS)
    for said in (
        "line 4: nodes.0.tool",
        "line 5: nodes.1.role",
        "line 6: nodes.2.tools",
        "line 7: nodes.3.on_fail.retry",
    ):
        assert said in problem
    assert "file_*" not in problem, "a pattern that fits a tool is right"


def test_two_files_with_one_name_and_version_are_both_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(HEAD + ONE)
    templates = Templates([tmp_path])
    with pytest.raises(LibraryError, match=r"b\.yaml: t@1\.0\.0 is there twice: .*a\.yaml"):
        templates.find("t")
    assert len(templates.contents.problems) == 1


def test_a_file_that_cannot_be_read_is_taken_for_what_it_is_called(tmp_path: Path) -> None:
    """Who asks for it is told what is wrong with it; were it unknown, the task would go on without it."""
    (tmp_path / "weekly.yaml").write_text("name: [\n")
    templates = Templates([tmp_path])
    for version in (None, "1.0.0"):
        with pytest.raises(LibraryError, match=r"weekly\.yaml: line 2: not YAML"):
            templates.find("weekly", version)
    assert templates.find("daily") is None
    (tmp_path / "weekly-1.yaml").write_text("name: weekly\n" + ONE)
    assert templates.find("weekly") is not None, "one that can be used is there"


def test_a_broken_file_does_not_take_others_with_it(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("name: [")
    (tmp_path / "good.yaml").write_text(HEAD + ONE)
    templates = Templates([tmp_path])
    assert templates.find("t") is not None and "bad.yaml" in templates.contents.problems[0]


def test_a_changed_file_is_read_anew_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    first = found(tmp_path, HEAD + ONE)
    templates = Templates([tmp_path])
    assert templates.find("t") is templates.find("t")
    (tmp_path / "t.yaml").write_text(HEAD + ONE.replace("text: A", "text: another"))
    again = templates.find("t")
    assert again is not None and again.content_hash != first.content_hash
    (tmp_path / "t.yaml").unlink()
    assert templates.find("t") is None


def test_whoever_asks_after_an_edit_gets_it_though_others_ask_at_the_same_time(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"{number}.yaml").write_text(f"name: other{number}\n{ONE}")
    path, templates, over = tmp_path / "t.yaml", Templates([tmp_path]), Event()
    seen: list[Found | None] = []

    def ask_on() -> None:
        while not over.is_set():
            assert templates.find("t") is not None

    path.write_text(f"name: t\n{ONE}")
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(ask_on) for _ in range(8)]
        for number in range(40):
            (tmp_path / "next").write_text(f"name: t\ndescription: edition {number}\n{ONE}")
            (tmp_path / "next").replace(path)
            seen.append(templates.find("t"))
        over.set()
        for each in others:
            each.result()
    sys.setswitchinterval(usual)
    told = [made.template.description if made is not None else "" for made in seen]
    assert told == [f"edition {number}" for number in range(40)]


def test_a_name_means_the_newest_version_by_number_not_by_letters(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1"):
        (tmp_path / f"{version}.yaml").write_text(f"name: t\nversion: {version}\n{ONE}")
    templates = Templates([tmp_path])
    newest, exact = templates.find("t"), templates.find("t", "1.9.0")
    assert newest is not None and newest.template.version == "1.10.0"
    assert exact is not None and exact.template.version == "1.9.0"
    assert templates.find("t", "3.0.0") is None


def test_a_template_without_a_version_does_not_take_that_of_what_it_extends(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("name: base\nversion: 2.0.0\n" + ONE)
    made = found(tmp_path, "name: t\nextends: base\n")
    assert made.template.version == "1.0.0", "the version by which it is found"


def test_what_a_template_inherits_is_told_where_it_stands(tmp_path: Path) -> None:
    base = "name: base\nnodes:\n  - {id: x, type: render, text: X}\n  - id: a\n    type: render\n    text: '{{ results.x }}'\n"
    (tmp_path / "base.yaml").write_text(base.replace("text: X}", "text: X}\n").replace("'{{ results.x }}'", "A"))
    own = "name: t\nextends: base\nnodes:\n  - id: a\n    text: '{{ results.nope }}'\n"
    with pytest.raises(LibraryError, match=r"t\.yaml: line 5: nodes\.1\.text: results\.nope"):
        found(tmp_path, own)
    (tmp_path / "base.yaml").write_text(base)
    with pytest.raises(LibraryError, match=r"base\.yaml: line 6: nodes\.1\.text: results\.x is not there"):
        found(tmp_path, "name: t\nextends: base\noutput: '{{ results.a }}'\n")


def test_a_fault_of_a_base_is_told_where_the_last_word_was_said(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("name: first\nnodes:\n  - {id: a, type: render, text: A}\n")
    (tmp_path / "second.yaml").write_text("name: second\nextends: first\nnodes:\n  - {id: a, text: '{{ nope }}'}\n")
    with pytest.raises(LibraryError, match=r"second\.yaml: line 4: nodes\.0\.text"):
        found(tmp_path, "name: t\nextends: second\n")


def test_a_template_with_its_bases_is_no_larger_than_a_history_should_take(tmp_path: Path) -> None:
    nodes = [{"id": f"n{number}", "type": "render", "text": "x" * 10_000} for number in range(8)]
    with pytest.raises(LibraryError, match="at most 65536"):
        found(tmp_path, yaml.safe_dump({"name": "t", "nodes": nodes}))


def test_hidden_files_and_other_files_are_not_read(tmp_path: Path) -> None:
    hidden = tmp_path / "..data"
    hidden.mkdir()
    (hidden / "t.yaml").write_text(HEAD + ONE)
    (tmp_path / "t.yaml").symlink_to(hidden / "t.yaml")
    (tmp_path / "README.md").write_text("no template")
    templates = Templates([tmp_path])
    assert templates.names() == ["t@1.0.0"] and not templates.contents.problems


def test_a_folder_that_may_not_be_read_is_said_and_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "t.yaml").write_text(HEAD + ONE)
    shut, look = tmp_path / "shut", os.scandir
    shut.mkdir()

    def scandir(path: str) -> Any:
        # who runs tests may read everything
        if Path(path) == shut:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    templates = Templates([shut, shut / "file.yaml", tmp_path])
    assert templates.find("t") is not None
    assert templates.contents.problems == (
        f"{shut}: the folder cannot be read (Permission denied)",
        f"{shut / 'file.yaml'}: there is no such folder",
    )


@pytest.mark.timeout(10)
def test_a_pipe_among_the_files_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "t.yaml").write_text(HEAD + ONE)
    templates = Templates([tmp_path])
    assert templates.find("t") is not None
    assert templates.contents.problems == (f"{tmp_path / 'pipe.yaml'}: it is no file",)


def test_the_shipped_templates_are_sound() -> None:
    templates = Templates(library_folders((), "templates"))
    assert not templates.contents.problems
    names = {item.name for item in templates.contents.all()}
    wanted = {
        "research_summary",
        "simple_analysis",
        "market_analysis",
        "market_analysis_playbook",
        "parallel_example",
        "weekly_briefing",
    }
    assert names == wanted
    for name in names:
        assert templates.find(name) is not None
    playbook = templates.find("market_analysis_playbook")
    assert playbook is not None and [node.id for node in playbook.template.nodes] == ["sides", "weighing", "plan"]
    briefing = templates.find("weekly_briefing")
    assert briefing is not None and all(isinstance(node, RenderNode) for node in briefing.template.nodes)
