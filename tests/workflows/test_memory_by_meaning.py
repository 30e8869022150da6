"""With an embedding model a fact is recalled by its meaning; without one, or when it is down, by its words, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.testing import WorkflowEnvironment

from tests.support.memory import ADA, NOTER, fact, noting
from tests.support.wire import serving
from tests.support.world import World, world
from theseus.activities.llm import embedding
from theseus.activities.llm.scripted.server import ScriptedModel
from theseus.config import SettingsError
from theseus.contracts.memory import Change
from theseus.contracts.task import TaskResult, TaskStatus
from theseus.domain.remembering import without_all

MODELS = """
providers:
  - {name: openai, kind: openai, base_url_variable: OPENAI_BASE_URL, key_variable: OPENAI_API_KEY}
  - {name: vectors, kind: openai, base_url_variable: VECTORS_URL, key_variable: VECTORS_KEY}
  - {name: claude, kind: anthropic, base_url: "http://127.0.0.1:1", key_variable: VECTORS_KEY}
models:
  - {provider: openai, model: chat, tiers: [small], priority: 1, context_window_tokens: 8000, max_output_tokens: 1000, input_price: 1}
embeddings:
  - {provider: vectors, model: concepts, input_price: 100}
"""
CONCEPTS = [("boat", "ship", "schooner", "sail"), ("tea", "drink", "coffee"), ("dog", "pet", "puppy")]
SHIP = fact("The user owns a schooner.", "t1")
TEA = fact("The user takes tea at noon.", "t2", days=1)
PUPPY = fact("The user has a puppy.", "t3", days=2)


@dataclass
class Vectors:
    """An endpoint that makes vectors: one number a concept."""

    url: str = ""
    asked: list[list[str]] = field(default_factory=list[list[str]])
    keys: list[str] = field(default_factory=list[str])
    status: int = 200
    seconds: float = 0
    body: Any = None

    async def answer(self, request: Request) -> Response:
        given = await request.json()
        assert (given["model"], given["encoding_format"]) == ("concepts", "float")
        self.asked.append(given["input"])
        self.keys.append(request.headers["authorization"])
        await asyncio.sleep(self.seconds)
        if self.status != 200 or self.body is not None:
            return JSONResponse(self.body or {"error": {"message": "no, test-key-0123"}}, self.status)
        rows = [
            {"object": "embedding", "index": place, "embedding": vector(text)}
            for place, text in enumerate(given["input"])
        ]
        usage = {"prompt_tokens": 10 * len(rows), "total_tokens": 10 * len(rows)}
        return JSONResponse({"object": "list", "model": "concepts", "data": rows[::-1], "usage": usage})


def vector(text: str) -> list[float]:
    return [float(sum(word in text.lower() for word in concept)) for concept in CONCEPTS] + [0.1]


@pytest_asyncio.fixture
async def vectors() -> AsyncIterator[Vectors]:
    made = Vectors()
    async with serving(Starlette(routes=[Route("/v1/embeddings", made.answer, methods=["POST"])])) as made.url:
        yield made


def knowing(there: World, vectors: Vectors, name: str = "vectors/concepts") -> World:
    """The world with an embedding model."""
    file = there.settings.data_dir / "models.yaml"
    file.write_text(MODELS)
    there.settings = there.settings.model_copy(update={"models_file": file, "embedding_model": name})
    there.environ = {**there.environ, "VECTORS_URL": f"{vectors.url}/v1", "VECTORS_KEY": "test-key-0123"}
    return there


@pytest_asyncio.fixture
async def alike(
    temporal: WorkflowEnvironment, model: ScriptedModel, vectors: Vectors, tmp_path: Path
) -> AsyncIterator[World]:
    async with world(temporal.client, model, tmp_path, work=False) as there:
        await there.stores.memory.revise(ADA, (), lambda _: Change(add=(SHIP, TEA, PUPPY)))
        async with knowing(there, vectors).worker():
            yield there


async def asks(there: World, query: str, **keys: Any) -> TaskResult:
    there.model.replace({"rules": [noting(), {"reply": {"text": "so"}}]})
    there.model.clear()
    context = {"role": "chat", "memory": True}
    return await there.run(query, user_id="ada", tenant_id="acme", context=context, **keys)


def prompt(there: World) -> str:
    (text,) = [t for r in there.model.requests if not (t := str(r.body["messages"][0]["content"])).startswith(NOTER)]
    return text


async def test_a_fact_without_a_word_of_the_question_is_recalled_by_its_meaning(alike: World, vectors: Vectors) -> None:
    result = await asks(alike, "Where can I moor my boat?")
    assert result.metadata.memory is not None
    assert result.status is TaskStatus.COMPLETED and "schooner" in prompt(alike)
    assert vectors.asked == [["Where can I moor my boat?", PUPPY.text, TEA.text, SHIP.text]]
    assert vectors.keys == ["Bearer test-key-0123"]


async def test_vectors_are_made_once_and_what_they_cost_is_counted(alike: World, vectors: Vectors) -> None:
    first = await asks(alike, "My boat?")
    await asks(alike, "My pet?")
    assert [len(texts) for texts in vectors.asked] == [4, 1], "the second time only the question"
    rows = {row.model: (row.executions, row.tokens, row.cost_microusd) for row in first.metadata.model_breakdown}
    assert rows["concepts"] == (1, 40, 4_000)
    assert sum(row.tokens for row in first.metadata.model_breakdown) == first.usage.total_tokens
    assert sum(row.cost_microusd for row in first.metadata.model_breakdown) == first.usage.cost_microusd
    assert first.model_used == "chat"


async def test_forgetting_takes_the_vectors_too(alike: World) -> None:
    await asks(alike, "My boat?")
    assert len(await alike.stores.memory.vectors(ADA, "vectors/concepts")) == 3
    await alike.stores.memory.revise(ADA, (), without_all)
    assert await alike.stores.memory.vectors(ADA, "vectors/concepts") == {}
    await asks(alike, "My boat?")
    assert "schooner" not in prompt(alike)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, None, "answered 500"),
        (401, None, "answered 401"),
        (200, {"object": "list", "data": []}, "a vector for each text"),
        (200, {"data": [{"index": n, "embedding": "AAAA"} for n in range(4)]}, "a vector for each text"),
        (200, {"nothing": 1}, "a vector for each text"),
    ],
)
async def test_when_there_are_no_vectors_words_are_compared(
    alike: World, vectors: Vectors, status: int, body: Any, words: str
) -> None:
    vectors.status, vectors.body = status, body
    result = await asks(alike, "When do I take my tea?")
    assert (result.status, result.metadata.degraded) == (TaskStatus.COMPLETED, [])
    assert result.metadata.memory is not None
    problem = result.metadata.memory.problem or ""
    assert "words alone were compared" in problem and words in problem and "test-key" not in problem
    assert TEA.text in prompt(alike) and len(vectors.asked) == 1, "it is not asked again"


async def test_an_endpoint_that_is_silent_is_not_waited_for_long(
    alike: World, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "PATIENCE_SECONDS", 0.3)
    vectors.seconds = 2
    result = await asks(alike, "When do I take my tea?")
    assert result.metadata.memory is not None and "no answer within" in (result.metadata.memory.problem or "")
    assert TEA.text in prompt(alike)


async def test_a_small_budget_is_not_spent_on_vectors(alike: World, vectors: Vectors) -> None:
    result = await asks(alike, "When do I take my tea?", limits={"cost_microusd": 4_000})
    assert result.metadata.memory is not None and "no room for embeddings" in (result.metadata.memory.problem or "")
    assert vectors.asked == [] and TEA.text in prompt(alike)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing", "listed: vectors/concepts"),
        ("claude/any", "has no embeddings"),
        ("openai/", "there is no embedding model"),
    ],
)
async def test_an_embedding_model_that_cannot_be_had_is_said_when_the_worker_starts(
    idle: World, vectors: Vectors, name: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=f"THESEUS_EMBEDDING_MODEL={name}.*{words}"):
        async with knowing(idle, vectors, name).worker():
            pass


async def test_one_that_is_not_listed_is_taken_from_its_provider(idle: World, vectors: Vectors) -> None:
    file = knowing(idle, vectors).settings.models_file
    assert file is not None
    file.write_text(MODELS.partition("embeddings:")[0])
    await idle.stores.memory.revise(ADA, (), lambda _: Change(add=(SHIP,)))
    async with idle.worker():
        await asks(idle, "My boat?")
    assert "schooner" in prompt(idle)
