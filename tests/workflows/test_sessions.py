"""A session remembers: each turn once, nothing lost, nothing doubled, and nothing shown to anyone else."""

import asyncio

from tests.support.world import World, activities_of, history
from theseus.contracts.session import SessionKey, Turn
from theseus.contracts.task import TaskStatus


def said_to_the_model(there: World, call: int = -1) -> list[str]:
    return [m["content"] for m in there.model.requests[call].body["messages"] if m["role"] != "system"]


async def texts(there: World, key: SessionKey) -> list[tuple[str, str]]:
    heads = (await there.stores.sessions.load(key, 500)).heads
    return [(m.role, m.text) for m in await there.stores.sessions.read(key, [head.seq for head in heads])]


async def test_the_second_turn_sees_the_first(there: World) -> None:
    there.model.replace({"rules": [{"reply": {"sequence": [{"text": "A language."}, {"text": "It is readable."}]}}]})
    await there.run("What is Python?", session_id="s", context={"role": "chat"})
    await there.run("Its advantages?", session_id="s", context={"role": "chat"})
    assert said_to_the_model(there) == ["What is Python?", "A language.", "Its advantages?"]
    assert [role for role, _ in await texts(there, SessionKey(session_id="s"))] == ["user", "assistant"] * 2


async def test_two_tasks_at_once_on_one_session_lose_and_double_nothing(there: World) -> None:
    there.model.replace({"rules": [{"latency": 0.3, "reply": {"echo": "last_user"}}]})
    await asyncio.gather(*(there.run(f"q{n}", session_id="both", context={"role": "chat"}) for n in range(2)))
    stored = await texts(there, SessionKey(session_id="both"))
    assert len(stored) == 4
    assert sorted(text for role, text in stored if role == "user") == ["q0", "q1"]
    assert [role for role, _ in stored] == ["user", "assistant", "user", "assistant"]


async def test_another_user_s_session_behaves_as_an_unknown_one(there: World) -> None:
    await there.run("my secret", session_id="s", user_id="ada", context={"role": "chat"})
    await there.run("what did I say?", session_id="s", user_id="eve", context={"role": "chat"})
    await there.run("what did I say?", session_id="unknown", user_id="eve", context={"role": "chat"})
    assert said_to_the_model(there, 1) == said_to_the_model(there, 2) == ["what did I say?"]
    assert len(await texts(there, SessionKey(session_id="s", user_id="ada"))) == 2


async def test_a_task_without_an_answer_appends_nothing(there: World) -> None:
    there.model.replace({"rules": [{"fault": {"status": 400, "body": "no"}}]})
    result = await there.run("x", session_id="s")
    assert result.status is TaskStatus.FAILED
    assert await texts(there, SessionKey(session_id="s")) == []


async def test_a_long_session_is_summarised_once_and_the_summary_reused(there: World) -> None:
    key = SessionKey(session_id="long")
    for n in range(30):
        await there.stores.sessions.append(
            Turn(
                key=key,
                task_id=f"t{n}",
                user_text=f"question {n}",
                user_tokens=4_000,
                answer_text=f"answer {n}",
                answer_tokens=4_000,
            )
        )
    there.model.replace(
        {
            "rules": [
                {"when": {"system": "You summarise"}, "reply": {"text": "They spoke of many things."}},
                {"reply": {"text": "fine"}},
            ]
        }
    )
    first = await there.run(
        "and now?",
        session_id="long",
        context={
            "role": "chat",
            "history_window_size": 60,
            "compression_trigger_ratio": 0.5,
            "compression_target_ratio": 0.4,
        },
    )
    assert first.status is TaskStatus.COMPLETED
    assert first.metadata.window is not None and first.metadata.window["summarised"] is True
    said = said_to_the_model(there)
    assert any("They spoke of many things." in text for text in said)
    assert said[-1] == "and now?"
    assert sum("You summarise" in r.body["messages"][0]["content"] for r in there.model.requests) == 1
    await there.run(
        "again?",
        session_id="long",
        context={
            "role": "chat",
            "history_window_size": 60,
            "compression_trigger_ratio": 0.5,
            "compression_target_ratio": 0.4,
        },
    )
    assert any("They spoke of many things." in text for text in said_to_the_model(there))


async def test_when_the_summary_fails_the_window_is_cut_and_the_task_degraded(there: World) -> None:
    key = SessionKey(session_id="long")
    for n in range(30):
        await there.stores.sessions.append(
            Turn(
                key=key,
                task_id=f"t{n}",
                user_text=f"question {n}",
                user_tokens=4_000,
                answer_text=f"answer {n}",
                answer_tokens=4_000,
            )
        )
    there.model.replace(
        {
            "rules": [
                {"when": {"system": "You summarise"}, "fault": {"status": 400, "body": "no"}},
                {"reply": {"text": "fine"}},
            ]
        }
    )
    result = await there.run(
        "now?",
        session_id="long",
        context={
            "role": "chat",
            "history_window_size": 60,
            "compression_trigger_ratio": 0.5,
            "compression_target_ratio": 0.4,
        },
    )
    assert (result.status, result.result) == (TaskStatus.DEGRADED, "fine")
    assert "summarised" in result.metadata.degraded[0]


async def test_session_texts_never_enter_the_history(there: World) -> None:
    await there.run("a very particular phrase", session_id="s", context={"role": "chat"})
    handle = await there.start("next", session_id="s", context={"role": "chat"})
    await there.result(handle)
    events = await history(handle)
    assert activities_of(events) == ["session.load", "llm.complete", "session.append"]
    assert b"particular" not in b"".join(event.SerializeToString() for event in events)
