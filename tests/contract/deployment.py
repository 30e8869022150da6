"""The files of deploy/, read as data: what the tests of the deployment look at."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from tests.contract.source_tree import ROOT

DEPLOY = ROOT / "deploy"
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")

Json = dict[str, Any]

_VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>[A-Z0-9_]+)(?::-(?P<default>[^}]*))?\}")
_DURATION = re.compile(r"(\d+)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile: its word in capitals, and the rest with its lines joined."""

    word: str
    rest: str

    @property
    def flags(self) -> dict[str, str]:
        """Its `--name=value` words."""
        pairs = [word[2:].partition("=") for word in shlex.split(self.rest) if word.startswith("--")]
        return {name: value for name, _, value in pairs}

    @property
    def words(self) -> list[str]:
        """Its words without flags."""
        return [word for word in shlex.split(self.rest) if not word.startswith("--")]


def stages(dockerfile: str) -> list[list[Instruction]]:
    """The build stages of a Dockerfile, each from its FROM on; what stands before the first FROM is left out."""
    found: list[list[Instruction]] = []
    for instruction in _instructions(dockerfile):
        if instruction.word == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        yield Instruction(word.upper(), rest.strip())


def compose() -> Json:
    """The compose file, its variables not filled in."""
    return cast(Json, yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def compose_variables() -> dict[str, set[str]]:
    """Every variable of the compose file with the defaults it has there."""
    found: dict[str, set[str]] = {}
    for match in _VARIABLE.finditer((DEPLOY / "compose.yaml").read_text(encoding="utf-8")):
        found.setdefault(match["name"], set()).add(match["default"] or "")
    return found


def filled(value: Any) -> str:
    """A value of the compose file with the defaults of its variables."""
    return _VARIABLE.sub(lambda match: match["default"] or "", str(value))


def example_env() -> dict[str, str]:
    """The variables of example.env."""
    lines = (DEPLOY / "example.env").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def seconds(duration: str) -> float:
    """A compose or Docker duration such as 1m30s, in seconds."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))


def documents(path: Path) -> list[Json]:
    """The Kubernetes objects of one file."""
    return [cast(Json, one) for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def objects() -> list[Json]:
    """The Kubernetes objects of all manifests."""
    return [one for path in MANIFESTS for one in documents(path)]


def one_of_kind(kind: str, name: str = "theseus-worker") -> Json:
    """The object of this kind and name."""
    found = [one for one in objects() if one["kind"] == kind and one["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} objects of kind {kind} are named {name}"
    return found[0]
