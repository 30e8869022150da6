"""What comes with a task is kept once, read by its agents, shown to models that see, and carried in no other payload."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.support.documents import pdf
from tests.support.teams import LEAD, PLANNER, assign, finish, leads, plans, recruit, subtask, synthesis, works
from tests.support.world import World, activities_of, history, world
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.activities.tools.readable import MAX_PDF_PAGES
from theseus.contracts.session import SessionKey
from theseus.contracts.task import TaskStatus
from theseus.stores.memory import MemoryArtifacts
from theseus.stores.ports import StoreDownError

MODELS = """
providers:
  - {name: openai, kind: openai, base_url_variable: OPENAI_BASE_URL, key_variable: OPENAI_API_KEY}
  - {name: anthropic, kind: anthropic, base_url_variable: ANTHROPIC_BASE_URL, key_variable: ANTHROPIC_API_KEY}
models:
  - {provider: openai, model: blind, tiers: [small, medium], priority: 1, context_window_tokens: 400000, max_output_tokens: 9000}
  - {provider: openai, model: seeing, tiers: [small], priority: 2, context_window_tokens: 400000, max_output_tokens: 9000, vision: true}
  - {provider: anthropic, model: claude, tiers: [large], priority: 3, context_window_tokens: 400000, max_output_tokens: 9000, vision: true}
"""
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 800).decode()
IMAGE: dict[str, Any] = {"name": "../cat.png", "media_type": "image/png", "data": PNG}
SALES = "month,sales\n" + "".join(f"2025-{month:02},{month * 111}\n" for month in range(1, 13))
CSV: dict[str, Any] = {"name": "sales.csv", "media_type": "text/csv", "text": SALES}


@pytest_asyncio.fixture
async def seeing(temporal: WorkflowEnvironment, model: ScriptedModel, tmp_path: Path) -> AsyncIterator[World]:
    """A world with a model that sees and one that does not, and another provider's that sees."""
    models = tmp_path / "models.yaml"
    models.write_text(MODELS)
    async with world(temporal.client, model, tmp_path, work=False, models_file=models) as there:
        more = {"ANTHROPIC_API_KEY": "test", "ANTHROPIC_BASE_URL": model.anthropic_url}
        there.environ = {**there.environ, **more}
        async with there.worker():
            yield there


def system(there: World, place: int = 0) -> str:
    """The system prompt of a request."""
    return str(there.model.requests[place].body["messages"][0]["content"])


async def read_first(there: World, task: dict[str, Any], workflow: str = "SimpleWorkflow") -> tuple[Any, list[str]]:
    """Runs a task whose model is told an id first, and reads it in a second task of the same user; gives what it read."""
    there.model.replace({"rules": [{"reply": {"text": "seen"}}]})
    first = await there.run("look", workflow=workflow, user_id="ada", **task)
    assert first.status is TaskStatus.COMPLETED, first
    ids = [part.split('"')[1] for part in system(there).split("artifact_id ")[1:] if part.startswith('"')]
    there.model.requests.clear()
    calls = [{"name": "read_artifact", "arguments": {"artifact_id": each}} for each in ids]
    there.model.replace({"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": calls}}, {"reply": {"text": "read"}}]})
    await there.run("read", user_id="ada")
    return first, [m["content"] for m in there.model.requests[-1].body["messages"] if m["role"] == "tool"]


async def test_texts_and_pdfs_are_listed_with_their_beginnings_and_read_in_pages(there: World) -> None:
    notes = {"name": "notes.md", "media_type": "text/markdown", "text": "# Plan\n" + "word " * 5000}
    paper = {"name": "paper.pdf", "media_type": "application/pdf"}
    paper["data"] = base64.b64encode(pdf("The zeppelin landed in Lakehurst.")).decode()
    data = {"name": "a\nb.json", "media_type": "application/json", "data": base64.b64encode(b'{"a": 1}').decode()}
    files = [CSV, notes, paper, data]
    _, texts = await read_first(there, {"context": {"role": "writer", "attachments": files}})
    assert SALES in texts[0]
    assert "# Plan" in texts[1] and "of 25007; read on at offset" in texts[1]
    assert "The zeppelin landed in Lakehurst." in texts[2]
    assert texts[3].endswith('{"a": 1}')


async def test_of_a_pdf_that_is_too_long_its_text_says_at_the_end_that_it_goes_on(there: World) -> None:
    long = {"name": "long.pdf", "media_type": "application/pdf"}
    long["data"] = base64.b64encode(pdf("The zeppelin landed.", MAX_PDF_PAGES + 3)).decode()
    await there.run("look", user_id="ada", context={"role": "writer", "attachments": [long]})
    artifact_id = system(there).split('artifact_id "')[1][:32]
    page = await there.stores.artifacts.page(SessionKey(session_id="x", user_id="ada"), artifact_id, 0, 100_000)
    assert page is not None and page.text.startswith("The zeppelin landed.")
    assert page.text.endswith(f"[the text ends after page {MAX_PDF_PAGES} of {MAX_PDF_PAGES + 3}]")


async def test_agents_are_told_what_there_is_and_may_read_it_whatever_their_role(there: World) -> None:
    handle = await there.start("look", context={"role": "chat", "attachments": [CSV]})
    assert (await there.result(handle)).status is TaskStatus.COMPLETED
    told = system(there)
    assert f'- sales.csv (text/csv, {len(SALES)} bytes), artifact_id "' in told
    assert 'begins: "month,sales 2025-01,111 ' in told
    assert [tool["function"]["name"] for tool in there.model.requests[0].body["tools"]] == ["read_artifact"]
    assert activities_of(await history(handle)) == ["attachment.store", "llm.complete", "session.append"]


async def test_what_came_with_a_task_is_in_its_input_and_in_no_other_payload(seeing: World) -> None:
    text = {**CSV, "text": "id,word\n" + "".join(f"{n},nonpareil{n}\n" for n in range(20_000))}
    seeing.model.replace({"rules": [{"reply": {"text": "seen"}}]})
    handle = await seeing.start("look", context={"role": "critic", "attachments": [text, IMAGE]})
    assert (await seeing.result(handle)).status is TaskStatus.COMPLETED
    events = await history(handle)
    sizes = [event.ByteSize() for event in events]
    assert sizes[0] > 600_000 and max(sizes[1:]) < 8_000
    assert not any(b"nonpareil500" in event.SerializeToString() for event in events[1:])
    transcripts = await seeing.stores.transcripts.get(f"{handle.id}:")
    assert transcripts and not any(PNG[:200] in node for node in transcripts.values())


async def test_an_image_is_shown_to_a_model_that_sees_which_is_asked_first(seeing: World) -> None:
    seeing.model.replace({"rules": [{"reply": {"text": "a cat"}}]})
    result = await seeing.run("What is this?", context={"role": "critic", "attachments": [IMAGE]})
    assert (result.status, result.model_used) == (TaskStatus.COMPLETED, "seeing")
    parts = seeing.model.requests[0].body["messages"][-1]["content"]
    assert parts == [
        {"type": "text", "text": "What is this?"},
        {"type": "text", "text": "Image cat.png:"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    assert "- cat.png (image/png, 204808 bytes): an image" in system(seeing)


async def test_anthropic_s_models_are_shown_images_in_blocks_of_their_own(seeing: World) -> None:
    seeing.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [CALCULATES]}}, {"reply": {"text": "so"}}]}
    )
    result = await seeing.run("What is this?", model_tier="large", context={"attachments": [IMAGE]})
    assert (result.status, result.provider) == (TaskStatus.COMPLETED, "anthropic")
    for request in seeing.model.requests:
        blocks = request.body["messages"][0]["content"]
        assert [block["type"] for block in blocks] == ["text", "text", "image"]
        assert blocks[2]["source"] == {"type": "base64", "media_type": "image/png", "data": PNG}


CALCULATES: dict[str, Any] = {"name": "calculator", "arguments": {"expression": "1+1"}}


async def test_an_image_follows_the_turns_of_the_session(seeing: World) -> None:
    seeing.model.replace({"rules": [{"reply": {"text": "fine"}}]})
    await seeing.run("before", session_id="s", context={"role": "critic"})
    await seeing.run("now", session_id="s", context={"role": "critic", "attachments": [IMAGE]})
    messages = seeing.model.requests[-1].body["messages"]
    assert [m["content"] for m in messages[1:3]] == ["before", "fine"]
    assert messages[3]["content"][2]["type"] == "image_url"


async def test_a_model_that_does_not_see_is_told_so_and_the_task_is_degraded(seeing: World) -> None:
    seeing.model.replace(
        {"rules": [{"when": {"turn": 0}, "reply": {"tool_calls": [CALCULATES]}}, {"reply": {"text": "so"}}]}
    )
    result = await seeing.run("What is this?", model_override="blind", context={"attachments": [IMAGE]})
    assert result.status is TaskStatus.DEGRADED
    assert result.metadata.degraded == ["openai/blind: images that it could not be shown: cat.png"], "told once"
    assert "You cannot see these images: cat.png." in system(seeing)
    assert seeing.model.requests[0].body["messages"][-1]["content"] == "What is this?"


async def test_agents_of_teams_see_and_read_too_and_those_who_plan_know_of_it(seeing: World) -> None:
    rules = [
        plans(subtask("a", role="generalist", tools=["calculator"]), subtask("b")),
        synthesis(),
        {"reply": {"text": "so"}},
    ]
    seeing.model.replace({"rules": rules})
    result = await seeing.run("the task", workflow="StandardWorkflow", context={"attachments": [CSV, IMAGE]})
    assert result.status is TaskStatus.COMPLETED
    bodies = [request.body for request in seeing.model.requests]
    assert PLANNER in system(seeing) and "sales.csv" in system(seeing) and "cat.png" in system(seeing)
    at_work = [b for b in bodies if isinstance(b["messages"][-1]["content"], list)]
    assert len(at_work) == 2 and all("sales.csv" in body["messages"][0]["content"] for body in at_work)
    assert sorted(len(body["tools"]) for body in at_work) == [1, 2]
    assert all("read_artifact" in str(body["tools"]) for body in at_work)


async def test_agents_of_a_lead_see_and_read_too(seeing: World) -> None:
    rules = [*leads([recruit("ann")], [assign("ann")], [finish("so")]), works("ann")]
    seeing.model.replace({"rules": [*rules, {"reply": {"text": "seen"}}]})
    result = await seeing.run("the task", workflow="SupervisorWorkflow", context={"attachments": [CSV, IMAGE]})
    assert result.status is TaskStatus.COMPLETED
    assert LEAD in system(seeing) and "sales.csv" in system(seeing)
    agent = next(r.body for r in seeing.model.requests if isinstance(r.body["messages"][-1]["content"], list))
    assert "read_artifact" in str(agent["tools"]) and "sales.csv" in agent["messages"][0]["content"]


async def test_a_later_turn_of_the_session_can_still_read_it(there: World) -> None:
    await there.run("keep this", session_id="s", context={"role": "writer", "attachments": [CSV]})
    key = SessionKey(session_id="s")
    heads = (await there.stores.sessions.load(key, 5)).heads
    [said, _] = await there.stores.sessions.read(key, [head.seq for head in heads])
    artifact_id = said.text.rpartition("artifact ")[2].removesuffix("]")
    call = {"name": "read_artifact", "arguments": {"artifact_id": artifact_id}}
    there.model.replace({"rules": [{"reply": {"sequence": [{"tool_calls": [call]}, {"text": "read"}]}}]})
    there.model.requests.clear()
    await there.run("and now?", session_id="s", context={"role": "writer"})
    assert "[Attached: sales.csv, text/csv, artifact " in str(there.model.requests[0].body["messages"])
    assert SALES in there.model.requests[-1].body["messages"][-1]["content"]
    again = {"name": "again.csv", "media_type": "text/csv", "artifact_id": artifact_id}
    result = await there.run("again", session_id="s", context={"role": "writer", "attachments": [again]})
    assert result.status is TaskStatus.COMPLETED and "- again.csv (text/csv" in system(there, -1)


@pytest.mark.parametrize(
    ("attachment", "field", "words"),
    [
        (
            {**CSV, "media_type": "image/png", "text": None, "data": base64.b64encode(b"a,b").decode()},
            "0.data",
            "said to be",
        ),
        ({**IMAGE, "media_type": "text/csv"}, "0.data", "its bytes are image/png"),
        ({**CSV, "media_type": "text/html"}, "0.media_type", "text/csv"),
        ({**CSV, "size": 3}, "0.size", "unknown key"),
        ({**CSV, "text": None, "artifact_id": "0" * 32}, "0.artifact_id", "there is no such artifact"),
        ({**CSV, "text": "x" * 1_100_000}, "0.text", "at most 1,048,576"),
        (
            {**CSV, "text": None, "media_type": "application/pdf", "data": base64.b64encode(b"%PDF-1.7 no").decode()},
            "0.data",
            "the PDF is broken",
        ),
    ],
)
async def test_an_attachment_that_cannot_be_used_is_refused_at_no_cost(
    there: World, attachment: dict[str, Any], field: str, words: str
) -> None:
    handle = await there.start("x", session_id="s", context={"attachments": [attachment]})
    result = await there.result(handle)
    assert (result.status, result.usage.total_tokens) == (TaskStatus.FAILED, 0)
    assert result.error is not None and (result.error.type, result.error.field) == (
        "InvalidInput",
        f"context.attachments.{field}",
    )
    assert words in result.error.message
    assert there.model.requests == []


async def test_another_user_s_attachment_does_not_exist(there: World) -> None:
    await there.run("mine", user_id="ada", context={"attachments": [CSV]})
    artifact_id = system(there).split('artifact_id "')[1][:32]
    theirs = {"name": "a", "media_type": "text/csv", "artifact_id": artifact_id}
    result = await there.run("theirs", user_id="eve", context={"attachments": [theirs]})
    assert result.error is not None and result.error.field == "context.attachments.0.artifact_id"


async def test_a_text_that_was_kept_does_not_become_an_image_by_its_name(there: World) -> None:
    lie = "data:image/png;base64," + base64.b64encode(b"no picture at all").decode()
    said = {"name": "a.txt", "media_type": "text/plain", "text": lie}
    await there.run("keep", user_id="ada", context={"attachments": [said]})
    artifact_id = system(there).split('artifact_id "')[1][:32]
    there.model.requests.clear()
    image = {"name": "a.png", "media_type": "image/png", "artifact_id": artifact_id}
    result = await there.run("look", user_id="ada", context={"attachments": [image]})
    assert result.error is not None and result.error.field == "context.attachments.0.artifact_id"
    assert "what is kept is something else" in result.error.message and there.model.requests == []


async def test_where_nothing_may_be_read_the_task_says_so(there: World) -> None:
    result = await there.run("x", tools=[], context={"attachments": [CSV]})
    assert result.status is TaskStatus.DEGRADED
    assert "only the beginnings of attachments can be seen" in result.metadata.degraded[0]


async def test_a_store_that_is_down_delays_attachments_and_loses_none(idle: World) -> None:
    class Flaky(MemoryArtifacts):
        """Fails once."""

        failed = False

        async def put(self, key: SessionKey, text: str) -> str:
            if not self.failed:
                self.failed = True
                raise StoreDownError("no route")
            return await super().put(key, text)

    artifacts = Flaky()
    idle.stores = replace(idle.stores, artifacts=artifacts)
    async with idle.worker():
        result = await idle.run("x", context={"attachments": [CSV]})
    assert artifacts.failed and result.status is TaskStatus.COMPLETED
    assert "sales.csv" in system(idle)


async def test_an_image_is_no_text_to_page_through(seeing: World) -> None:
    seeing.model.replace({"rules": [{"reply": {"text": "seen"}}]})
    await seeing.run("x", session_id="s", context={"attachments": [IMAGE]})
    key = SessionKey(session_id="s")
    [said, _] = await seeing.stores.sessions.read(
        key, [h.seq for h in (await seeing.stores.sessions.load(key, 5)).heads]
    )
    artifact_id = said.text.rpartition("artifact ")[2].removesuffix("]")
    calls = [{"name": "read_artifact", "arguments": {"artifact_id": artifact_id, "offset": at}} for at in (0, 5000)]
    seeing.model.replace(
        {
            "rules": [
                {"when": {"any_message": "read it", "turn": 1}, "reply": {"tool_calls": calls}},
                {"reply": {"text": "no"}},
            ]
        }
    )
    await seeing.run("read it", session_id="s")
    told = [m["content"] for m in seeing.model.requests[-1].body["messages"] if m["role"] == "tool"]
    assert len(told) == 2 and all("is an image" in text for text in told)
