"""Scripts: which reply, delay or fault a request gets. First matching rule wins."""

import json
import re
import time
from collections import deque
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

_PLACEHOLDER = re.compile(r"\{\{(last_user|turn|tool_result|call)\}\}")


class ScriptError(Exception):
    """The script is wrong; the message says which rule."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Pattern = Annotated[str, Field(description="A regular expression, searched for.")]


class When(_Part):
    """What a request must look like; all that is given must hold."""

    last_user: Pattern | None = None
    any_message: Pattern | None = None
    system: Pattern | None = None
    model: Pattern | None = None
    provider: Literal["openai", "anthropic"] | None = None
    turn: int | None = Field(default=None, ge=0, description="Assistant messages so far.")
    call: int | None = Field(default=None, ge=1, description="The nth request that the rest of this rule matches.")
    has_tool_result: bool | Pattern | None = None
    tool_offered: str | None = None
    tool_choice: Literal["auto", "none", "required"] | None = None


class ScriptedCall(_Part):
    """A tool call of a reply."""

    name: str
    arguments: JsonValue = Field(default_factory=dict)


class Reply(_Part):
    """What is answered: one of text, json, echo, tool calls (with text), or a sequence used one after another."""

    text: str | None = None
    json_: JsonValue = Field(default=None, alias="json")
    echo: Literal["last_user"] | None = None
    tool_calls: tuple[ScriptedCall, ...] = ()
    sequence: tuple["Reply", ...] = ()
    finish_reason: Literal["stop", "length", "content_filter"] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Reply":
        said = {"text": self.text is not None, "json": self.json_ is not None, "echo": self.echo is not None}
        given = [name for name, is_given in {**said, "sequence": bool(self.sequence)}.items() if is_given]
        if self.sequence and self.tool_calls:
            given.append("tool_calls")
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: give one")
        return self

    @property
    def is_silent(self) -> bool:
        """Whether it leaves the answer to the model's default."""
        return self.text is None and self.json_ is None and self.echo is None and not self.tool_calls


class ScriptedUsage(_Part):
    """Token counts that replace the computed ones."""

    input: int | None = Field(default=None, ge=0)
    output: int | None = Field(default=None, ge=0)
    cached: int = Field(default=0, ge=0)
    cache_write: int = Field(default=0, ge=0)


class Fault(_Part):
    """What goes wrong."""

    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: float | None = Field(default=None, ge=0)
    body: str | dict[str, JsonValue] = Field(
        default="scripted fault", description="The error's words, or its whole body as it goes over the wire."
    )
    cut_after: int | None = Field(default=None, ge=0, description="The socket closes after so many characters.")
    garbage: bool = Field(default=False, description="Bytes that are neither JSON nor events.")
    hang: bool = Field(default=False, description="Nothing is ever sent.")
    hang_after: int | None = Field(default=None, ge=0, description="Nothing more is sent after so many characters.")

    @model_validator(mode="after")
    def _is_one_fault(self) -> "Fault":
        kinds = {"status": self.status is not None, "garbage": self.garbage, "hang": self.hang}
        kinds |= {"cut_after": self.cut_after is not None, "hang_after": self.hang_after is not None}
        given = [name for name, is_given in kinds.items() if is_given]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(kinds)}, not {' and '.join(given) or 'none'}")
        if self.status is None and self.model_fields_set & {"retry_after", "body"}:
            raise ValueError("retry_after and body belong to a status")
        return self

    @property
    def mark(self) -> int | None:
        """After how many characters it happens, if in the middle of an answer."""
        return self.hang_after if self.cut_after is None else self.cut_after


class Rule(_Part):
    """One rule of a script."""

    when: When = When()
    reply: Reply = Reply()
    usage: ScriptedUsage = ScriptedUsage()
    latency: float = Field(default=0, ge=0, description="Seconds before the first byte.")
    tokens_per_second: float | None = Field(default=None, gt=0)
    times: int | None = Field(default=None, ge=1, description="The rule is used up after so many replies.")
    fault: Fault | None = None


class RateLimit(_Part):
    """So many requests in any stretch of so many seconds; what is more gets a 429 and counts for nothing."""

    requests: int = Field(ge=1)
    seconds: float = Field(default=60, gt=0)


class Script(_Part):
    """Rules; without a match the model gives a valid instance of the asked schema, or echoes."""

    rules: tuple[Rule, ...] = ()
    rate_limit: RateLimit | None = None

    @model_validator(mode="after")
    def _patterns_compile(self) -> "Script":
        for number, rule in enumerate(self.rules, start=1):
            for name in ("last_user", "any_message", "system", "model", "has_tool_result"):
                value = getattr(rule.when, name)
                if not isinstance(value, str):
                    continue
                try:
                    re.compile(value)
                except re.error as error:
                    raise ValueError(f"rule {number}: when.{name}: {error}") from error
        return self


def parse(data: Any, name: str = "script") -> Script:
    """A script from plain data: an object with `rules`, or the list of rules itself.

    Raises:
        ScriptError: a rule is wrong; rules count from 1.
    """
    try:
        return Script.model_validate({"rules": data} if isinstance(data, list) else {} if data is None else data)
    except ValidationError as error:
        raise ScriptError(
            f"{name}: {'; '.join(_problem(item['loc'], item['msg']) for item in error.errors()[:5])}"
        ) from error


def read(text: str | bytes, name: str = "script") -> Script:
    """A script from YAML or JSON.

    Raises:
        ScriptError: it is neither, or a rule is wrong.
    """
    try:
        return parse(yaml.safe_load(text), name)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScriptError(f"{name}: not YAML: {error}") from error


def load(path: Path) -> Script:
    """A script from a YAML or JSON file.

    Raises:
        ScriptError: the file cannot be read, or a rule is wrong.
    """
    try:
        return read(path.read_bytes(), str(path))
    except OSError as error:
        raise ScriptError(f"{path}: cannot be read ({error.strerror})") from error


def _problem(place: tuple[int | str, ...], message: str) -> str:
    if len(place) > 1 and place[0] == "rules" and isinstance(place[1], int):
        return f"rule {place[1] + 1}: {'.'.join(str(part) for part in place[2:]) or 'rule'}: {message}"
    return f"{'.'.join(str(part) for part in place)}: {message}".lstrip(": ")


class Asked(BaseModel):
    """A request, free of its wire. `tools` maps names to the schemas of their parameters."""

    provider: Literal["openai", "anthropic"]
    model: str
    system: str
    messages: list[tuple[str, str]]
    tools: dict[str, JsonValue]
    tool_choice: str
    schema_: JsonValue = None
    answer_tool: str | None = Field(default=None, description="The tool that has to be called.")
    stream: bool
    characters: int

    @property
    def last_user(self) -> str:
        """The last words of the user."""
        return next((text for role, text in reversed(self.messages) if role == "user"), "")

    @property
    def turn(self) -> int:
        """Assistant messages so far."""
        return sum(role == "assistant" for role, _ in self.messages)

    @property
    def tool_result(self) -> str:
        """The last tool result."""
        return next((text for role, text in reversed(self.messages) if role == "tool"), "")


class Chooser(Protocol):
    """Says what each request gets: a script that is played, or a program in the server's process."""

    def choose(self, asked: Asked) -> tuple[Rule, Reply]:
        """The rule for a request (its delay, usage and fault), and what is answered; a silent reply is the default."""
        ...


class Player:
    """Plays a script: remembers how often each rule matched and replied."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._matched = [0] * len(script.rules)
        self._used = [0] * len(script.rules)
        self._taken: deque[float] = deque()

    def choose(self, asked: Asked) -> tuple[Rule, Reply]:
        """The rule for a request, and the reply of it whose turn it is."""
        if (wait := self._over_the_limit()) is not None:
            return Rule(fault=Fault(status=429, retry_after=wait, body="rate limit reached")), Reply()
        for at, rule in enumerate(self._script.rules):
            if rule.times is not None and self._used[at] >= rule.times:
                continue
            if not matches(rule.when, asked):
                continue
            self._matched[at] += 1
            if rule.when.call is not None and self._matched[at] != rule.when.call:
                continue
            self._used[at] += 1
            reply = rule.reply
            if reply.sequence:
                reply = reply.sequence[min(self._used[at], len(reply.sequence)) - 1]
            return rule, filled(reply, asked, self._used[at])
        return Rule(), Reply()

    def _over_the_limit(self) -> float | None:
        limit, now = self._script.rate_limit, time.monotonic()
        if limit is None:
            return None
        while self._taken and self._taken[0] <= now - limit.seconds:
            self._taken.popleft()
        if len(self._taken) >= limit.requests:
            return round(self._taken[0] + limit.seconds - now, 3)
        self._taken.append(now)
        return None


def matches(when: When, asked: Asked) -> bool:
    """Whether all that is given holds, `call` apart."""
    texts = {
        "last_user": [asked.last_user],
        "any_message": [text for _, text in asked.messages],
        "system": [asked.system],
        "model": [asked.model],
    }
    for name, candidates in texts.items():
        pattern = getattr(when, name)
        if pattern is not None and not any(re.search(pattern, text) for text in candidates):
            return False
    exact = {"provider": asked.provider, "turn": asked.turn, "tool_choice": asked.tool_choice}
    if any(getattr(when, name) not in (None, value) for name, value in exact.items()):
        return False
    if when.tool_offered is not None and when.tool_offered not in asked.tools:
        return False
    return _tool_result_matches(when.has_tool_result, asked)


def _tool_result_matches(wanted: bool | str | None, asked: Asked) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return any(role == "tool" and re.search(wanted, text) for role, text in asked.messages)
    return wanted == any(role == "tool" for role, _ in asked.messages)


def filled(reply: Reply, asked: Asked, call: int) -> Reply:
    """The reply with its placeholders replaced."""
    values = {
        "last_user": asked.last_user,
        "turn": str(asked.turn),
        "tool_result": asked.tool_result,
        "call": str(call),
    }

    def fill(value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return _PLACEHOLDER.sub(lambda found: values[found[1]], value)
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        return [fill(inner) for inner in value] if isinstance(value, list) else value

    return Reply.model_validate(fill(json.loads(reply.model_dump_json(by_alias=True))))
