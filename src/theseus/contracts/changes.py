"""Changes of what workflows do: a task does what was known when it began. Inner contract."""

from collections.abc import Mapping
from enum import IntEnum


class Change(IntEnum):
    """What workflows do otherwise than before, numbered as it came: a task has all up to the number among its facts.

    A name goes, with what was done before, when no task can be alive that began without it; its number is not used again.
    """

    TEAMS = 1
    """A task that is routed to a team has one (docs/decisions/0008)."""
    NAMED_ROLE = 2
    """The lead of a task with a role recruits agents of that role alone."""
    FACET_ROOM = 3
    """Of one facet so much evidence is kept as a report can use."""
    CAPPED_CALLS = 4
    """A researcher's calls end within a reply, where it asks for more of them than it has left."""
    THREE_ROUNDS = 5
    """A research that names no strategy has up to three rounds."""
    REVIEWERS_CHOICE = 6
    """Who reviews a plan may leave out what the scope requires."""
    DENIED_MENDED = 7
    """A sentence that the rules doubt and a model denies is rewritten."""
    MENDER_TOLD = 8
    """A mender that is down is told in the status."""
    TEAM_TOOLS = 9
    """A team that takes over from a template's node uses no more tools than the node names."""
    FALLBACK_LABELLED = 10
    """A task that goes on without its template is labelled with the mode in which it does."""
    DENIED_CLEARED = 11
    """A sentence that the rules doubt, that a model denies and that nobody rewrites is taken out."""
    TOLD_AT_START = 12
    """An agent is told what people said while it was being started."""
    LET_GO_AT_START = 13
    """An agent that starts held goes on where its task was let go while it was being started."""
    CHANGED_CUT = 14
    """A changed plan that is not sound is cut to what is, as the first is."""


NEWEST = max(Change)

PATCHES: Mapping[Change, str] = {Change.TEAMS: "routes-to-teams", Change.NAMED_ROLE: "named-role-binds-the-team"}
"""The oldest were patches of Temporal's, and are for tasks that began with them (docs/decisions/0013)."""
