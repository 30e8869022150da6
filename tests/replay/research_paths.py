"""The paths of deep research, and of its researchers, that are recorded."""

from typing import Any

from tests.replay.team_paths import child
from tests.support.studies import (
    ENTAILER,
    MENDER,
    PLANNER,
    WRITER,
    Fact,
    assesses,
    finds,
    outlines,
    plans,
    question,
    scopes,
    writes,
)
from tests.support.world import Handle, World, until
from theseus.contracts.control import ReviewState

DOCUMENTS = {
    "bridge.md": "# The bridge\n\nThe bridge of Varn is 412 metres long and was opened in 1987.\n",
    "mayor.md": "# The mayor\n\nAda Quill has been the mayor of Varn since 2019.\n",
}
BRIDGE = Fact("bridge.md", "The bridge of Varn is 412 metres long and was opened in 1987.", "length")
MAYOR = Fact("mayor.md", "Ada Quill has been the mayor of Varn since 2019.", "name")

Rules = list[dict[str, Any]]


async def run(there: World, rules: Rules, **context: Any) -> Handle:
    there.model.replace({"rules": rules})
    given = {"force_research": True, **context}
    return await there.start("What of Varn?", workflow="ResearchWorkflow", context=given)


def rules_of(there: World, *more: dict[str, Any]) -> Rules:
    folder = there.settings.corpus_dir
    assert folder is not None
    draft = (
        f"## Varn\n\nThe bridge is 412 metres long. [[{BRIDGE.card(folder)}]] The bridge has 99 lamps. "
        f"[[{BRIDGE.card(folder)}]] Ada Quill is mayor. [[{MAYOR.card(folder)}]]"
    )
    return [
        *more,
        scopes("bridge", "mayor"),
        plans(question("bridge", "length"), question("mayor", "name")),
        *finds("bridge", folder, BRIDGE),
        *finds("mayor\nStill open", folder, MAYOR),
        *finds("mayor", folder),
        assesses(),
        outlines(BRIDGE.card(folder), MAYOR.card(folder)),
        writes(draft),
        {"when": {"system": MENDER}, "reply": {"json": {"sentence": ""}}},
    ]


async def report(there: World) -> Handle:
    handle = await run(there, rules_of(there), research_strategy="standard")
    await there.result(handle)
    return handle


async def without_a_writer(there: World) -> Handle:
    down = {"when": {"system": WRITER}, "fault": {"status": 400}}
    handle = await run(there, rules_of(there, down), research_strategy="quick")
    await there.result(handle)
    return handle


async def reviewed(there: World) -> Handle:
    handle = await run(there, rules_of(there), research_strategy="quick", review_plan="manual")
    await answered(handle, "and more")
    await there.result(handle)
    return handle


async def answered(handle: Handle, wish: str) -> None:
    """A person wants the plan otherwise, and approves the next version."""
    for version, action in ((1, "feedback"), (2, "approve")):

        async def waits(version: int = version) -> bool:
            state: ReviewState = await handle.query("review_state", result_type=ReviewState)
            return (state.status, state.version) == ("waiting", version)

        await until(waits)
        await handle.execute_update("review_plan", {"action": action, "message": wish, "expected_version": version})


async def mended(there: World) -> Handle:
    """A reviewer leaves out what the scope requires; what a model denies is rewritten, and a mender that fails is told."""
    folder = there.settings.corpus_dir
    assert folder is not None
    bridge = BRIDGE.card(folder)
    draft = f"## Varn\n\nThe bridge was not opened in 1987. [[{bridge}]] The bridge has 99 lamps. [[{bridge}]]"
    less = {**plans(question("bridge", "length")), "when": {"system": PLANNER, "last_user": "A person reviewed"}}
    rules = rules_of(
        there,
        less,
        {"when": {"system": MENDER, "last_user": "99 lamps"}, "fault": {"status": 400}},
        {"when": {"system": MENDER}, "reply": {"json": {"sentence": f"The bridge was opened in 1987. [[{bridge}]]"}}},
        {"when": {"system": ENTAILER}, "reply": {"json": {"sentences": [{"number": 0, "shown": False}]}}},
        writes(draft),
    )
    handle = await run(there, rules, review_plan="manual")
    await answered(handle, "leave out the mayor")
    await there.result(handle)
    return handle


async def rejected_in_time(there: World) -> Handle:
    handle = await run(there, rules_of(there), review_plan="manual", review_timeout=1)
    await there.result(handle)
    return handle


async def researcher(there: World) -> Handle:
    return await child(there, await report(there), 1)


PATHS = {
    "research-report": report,
    "research-without-a-writer": without_a_writer,
    "research-reviewed": reviewed,
    "research-mended": mended,
    "research-review-timed-out": rejected_in_time,
    "agent-researcher": researcher,
}
