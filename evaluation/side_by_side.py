"""M9: how near the wall clock of a round of researchers comes to its critical path, by the log of the model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.script import ROLES
from evaluation.trial import Pace
from tests.support.studies import RESEARCHER
from theseus.activities.llm.scripted.logged import LoggedRequest

PAGE = "web_fetch"
SEARCH = "web_search"


@dataclass(frozen=True)
class Gathering:
    """The first round: how long it took, what its longest researcher waited for, what all waited for together; seconds."""

    wall: float
    path: float
    one_by_one: float


def gathering(requests: Iterable[LoggedRequest], pace: Pace) -> Gathering:
    """What the log says of the researchers of the first round."""
    talks: dict[str, list[LoggedRequest]] = {}
    for each in requests:
        if role_of(each) == RESEARCHER and each.ended_at is not None:
            talks.setdefault(first_words(each), []).append(each)
    first = [talk for words, talk in talks.items() if "Still open" not in words]
    began = min(each.started_at for talk in first for each in talk)
    ended = max(each.ended_at or 0.0 for talk in first for each in talk)
    paths = [_path(talk, pace) for talk in first]
    return Gathering(ended - began, max(paths), sum(paths))


def _path(talk: Sequence[LoggedRequest], pace: Pace) -> float:
    """What one researcher has to wait for: its answers one after another, and what each of them calls, side by side."""
    seconds = len(talk) * pace.model
    for message in max(talk, key=lambda each: len(each.body["messages"])).body["messages"]:
        names = {call["function"]["name"] for call in message.get("tool_calls") or ()}
        seconds += pace.page if PAGE in names else pace.search if SEARCH in names else 0.0
    return seconds


def role_of(request: LoggedRequest) -> str:
    """The first words of the system prompt of whoever asked; empty for a role that is none of the research's."""
    system = str(request.body["messages"][0]["content"])
    return next((words for words in ROLES if system.startswith(words)), "")


def first_words(request: LoggedRequest) -> str:
    """What a conversation began with: the same for all requests of one researcher."""
    return next(str(each["content"]) for each in request.body["messages"] if each["role"] == "user")
