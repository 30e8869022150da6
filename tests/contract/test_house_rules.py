"""Every file keeps the house rules; and every rule finds what breaks it, so that none is an empty promise."""

from pathlib import Path

import pytest

from tests.contract.rules import MODULE_RULES, SOURCE_RULES, TEXT_RULES, where
from tests.contract.source_tree import Module, committed_texts, modules


@pytest.mark.parametrize("rule", MODULE_RULES)
def test_every_python_file_keeps(rule: str) -> None:
    wrong = [
        line for module in modules("src", "tests", "benchmarks", "evaluation") for line in MODULE_RULES[rule](module)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("rule", SOURCE_RULES)
def test_every_module_of_the_package_keeps(rule: str) -> None:
    wrong = [line for module in modules("src") for line in SOURCE_RULES[rule](module)]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("rule", TEXT_RULES)
def test_every_text_file_keeps(rule: str) -> None:
    wrong = [line for path, text in committed_texts() for line in TEXT_RULES[rule](path, text)]
    assert not wrong, "\n" + "\n".join(wrong)


BROKEN = {
    "a long file": ("file length", "domain/x.py", "x = 1\n" * 401),
    "a long function": ("function length", "domain/x.py", "def f():\n" + "    x = 1\n" * 60),
    "a silent module": ("module docstring", "domain/x.py", "x = 1\n"),
    "a module named utils": ("module name", "domain/utils.py", ""),
    "a folder named common": ("module name", "common/x.py", ""),
    "a silent class": ("public docstrings", "domain/x.py", "class A:\n    x = 1\n"),
    "a silent method": ("public docstrings", "domain/x.py", 'class A:\n    """A."""\n    def f(self): ...\n'),
    "except Exception": ("broad except", "domain/x.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    "a bare except": ("broad except", "workflows/x.py", "try:\n    f()\nexcept:\n    pass\n"),
    "Exception among others": ("broad except", "roles/x.py", "try:\n    f()\nexcept (OSError, Exception):\n    pass\n"),
    "os.environ": ("environment", "stores/x.py", "import os\nurl = os.environ['URL']\n"),
    "os.getenv": ("environment", "activities/x.py", "import os\nurl = os.getenv('URL')\n"),
    "environ by name": ("environment", "worker.py", "from os import environ\n"),
    "a clock": ("determinism", "domain/x.py", "from datetime import datetime\nat = datetime.now()\n"),
    "a clock by its module": ("determinism", "workflows/x.py", "import datetime\nat = datetime.datetime.now()\n"),
    "import time": ("determinism", "workflows/modes/x.py", "import time\n"),
    "chance": ("determinism", "roles/x.py", "from random import choice\n"),
    "a uuid": ("determinism", "contracts/x.py", "import uuid\n"),
    "open": ("determinism", "domain/x.py", "text = open('a').read()\n"),
    "a path read": ("determinism", "roles/x.py", "from pathlib import Path\ntext = Path('a').read_text()\n"),
    "print": ("printing", "stores/x.py", "print('x')\n"),
    "a loop over a set": ("set order", "workflows/x.py", "for x in {1, 2}:\n    f(x)\n"),
    "a list of a set": ("set order", "workflows/x.py", "xs = list(set(ys))\n"),
    "a joined set": ("set order", "workflows/x.py", "names: set[str] = f()\ntext = ', '.join(names)\n"),
    "a popped set": ("set order", "workflows/x.py", "left = set(ys)\nx = left.pop()\n"),
    "a set as attribute": (
        "set order",
        "workflows/x.py",
        "self._seen: set[str] = set()\nx = [y for y in self._seen]\n",
    ),
    "a set of an argument": ("set order", "workflows/x.py", "def f(a: frozenset[int]):\n    return [x for x in a]\n"),
    "a difference of sets": ("set order", "workflows/x.py", "a = set(b)\nfor x in a - c:\n    f(x)\n"),
    "an await in finally": ("await in finally", "workflows/x.py", "try:\n    f()\nfinally:\n    await g()\n"),
    "a spread set": ("set order", "workflows/x.py", "xs = [*{1, 2}]\n"),
}

FINE = {
    "a plain finally": ("await in finally", "workflows/x.py", "try:\n    await f()\nfinally:\n    g()\n"),
    "a sorted set": ("set order", "workflows/x.py", "for x in sorted({1, 2}):\n    f(x)\n"),
    "a question to a set": ("set order", "workflows/x.py", "seen: set[str] = set()\nif x in seen:\n    seen.add(x)\n"),
    "a set outside of workflows": ("set order", "domain/x.py", "for x in {1, 2}:\n    f(x)\n"),
    "the workflow's clock": ("determinism", "workflows/x.py", "from temporalio import workflow\nat = workflow.now()\n"),
    "the type of a time": ("determinism", "domain/x.py", "from datetime import datetime\ndef f(at: datetime): ...\n"),
    "named errors": ("broad except", "domain/x.py", "try:\n    f()\nexcept ValueError:\n    pass\n"),
    "the one reader": ("environment", "config.py", "import os\nx = os.environ\n"),
    "the command line": ("printing", "cli.py", "print('x')\n"),
    "an empty package": ("module docstring", "domain/__init__.py", ""),
    "a private function": ("public docstrings", "domain/x.py", "def _f(): ...\n"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_rule_finds(case: str, tmp_path: Path) -> None:
    rule, path, text = BROKEN[case]
    found = {**MODULE_RULES, **SOURCE_RULES}[rule](_plant(tmp_path, path, text))
    assert found
    assert found[0].startswith(f"{where(path)}:"), "a finding says file and line"


@pytest.mark.parametrize("case", FINE)
def test_a_rule_lets_pass(case: str, tmp_path: Path) -> None:
    rule, path, text = FINE[case]
    assert not {**MODULE_RULES, **SOURCE_RULES}[rule](_plant(tmp_path, path, text))


def test_unfinished_work_is_found() -> None:
    for word in ("TO" + "DO", "FIX" + "ME"):
        assert TEXT_RULES["unfinished work"](where("x.py"), f"x = 1\n# {word} later\n")[0].startswith(
            f"{where('x.py')}:2:"
        )


@pytest.mark.parametrize(
    "line",
    [
        "see https://" + "pypi" + ".org/project/x",
        "https://files." + "python" + "hosted.org/x.whl",
        "--index" + "-url https://mirror.example/x",
        "index = https://mirror.example/simp" + "le",
    ],
)
def test_a_registry_address_is_found(line: str) -> None:
    assert TEXT_RULES["registry addresses"](where("x.txt"), line)


def _plant(root: Path, path: str, text: str) -> Module:
    file = root / where(path)
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return Module.read(file, root)
