"""An artifact can be paged through, character by character exact, by its owner alone."""

import asyncio
from datetime import timedelta
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from theseus.contracts.session import SessionKey
from theseus.contracts.stored import ArtifactPage
from theseus.stores.ports import ArtifactStore
from theseus.stores.redis import RedisArtifacts
from theseus.stores.redis.artifacts import SLICE_CHARS
from theseus.stores.rules import MAX_ARTIFACT_BYTES, artifact_id, decode, encode

KEY = SessionKey(session_id="s", tenant_id="acme", user_id="ann")


class Kind(Protocol):
    def artifacts(self, ttl: timedelta = ...) -> ArtifactStore: ...


async def whole(store: ArtifactStore, made: str, limit: int) -> str:
    parts: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = await store.page(KEY, made, offset, limit)
        assert page is not None and page.offset == offset and len(page.text) <= limit
        parts.append(page.text)
        offset = page.next_offset
    return "".join(parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "plain " * 8_000,
        "žluťoučký kůň 🐎 \U0010ffff漢字 " * 3_000,
        "half \ud83d a pair \udc80",
        "x" * SLICE_CHARS,
        "é" * (2 * SLICE_CHARS + 1),
    ],
)
@pytest.mark.parametrize("limit", [7_001, 40_000, 10_000_000])
async def test_pages_make_up_the_text_whatever_its_letters(kind: Kind, text: str, limit: int):
    store = kind.artifacts()
    made = await store.put(KEY, text)
    assert await whole(store, made, limit) == text


async def test_a_page_at_any_place_is_the_slice_of_the_text(kind: Kind):
    store = kind.artifacts()
    text = "".join(chr(0x100 + n % 5_000) for n in range(3 * SLICE_CHARS + 17))
    made = await store.put(KEY, text)
    for offset in (0, 1, SLICE_CHARS - 1, SLICE_CHARS, SLICE_CHARS + 1, len(text) - 1, len(text), len(text) + 5):
        for limit in (1, 2, SLICE_CHARS, SLICE_CHARS + 1, 2 * SLICE_CHARS):
            end = offset + limit
            assert await store.page(KEY, made, offset, limit) == ArtifactPage(
                text=text[offset:end],
                offset=offset,
                total_chars=len(text),
                next_offset=end if end < len(text) else None,
            )


async def test_the_same_text_has_the_same_id_also_when_put_again(kind: Kind):
    store = kind.artifacts()
    first, again, other = [await store.put(KEY, text) for text in ("one", "one", "two")]
    assert first == again == artifact_id("one") != other
    assert await whole(store, first, 10) == "one"


@pytest.mark.parametrize(
    "other",
    [
        SessionKey(session_id="s", tenant_id="acme", user_id="bob"),
        SessionKey(session_id="s", tenant_id="evil", user_id="ann"),
        SessionKey(session_id="s", tenant_id="acme"),
        SessionKey(session_id="ann", tenant_id="acme"),
        SessionKey(session_id="s", tenant_id="user/acme", user_id="ann"),
    ],
)
async def test_a_foreign_artifact_does_not_exist(kind: Kind, other: SessionKey):
    store = kind.artifacts()
    made = await store.put(KEY, "secret")
    assert await store.page(other, made, 0, 10) is None


async def test_a_user_reaches_it_from_another_session_but_nameless_sessions_stay_apart(kind: Kind):
    store = kind.artifacts()
    made = await store.put(KEY, "mine")
    assert await store.page(SessionKey(session_id="s2", tenant_id="acme", user_id="ann"), made, 0, 9) is not None
    nameless = await store.put(SessionKey(session_id="n1"), "nobody's")
    assert await store.page(SessionKey(session_id="n1"), nameless, 0, 9) is not None
    assert await store.page(SessionKey(session_id="n2"), nameless, 0, 9) is None


@pytest.mark.parametrize("artifact", ["", "nope", "../x", "\ud800", "a" * 10_000])
async def test_an_unknown_artifact_is_none(kind: Kind, artifact: str):
    assert await kind.artifacts().page(KEY, artifact, 0, 10) is None


@pytest.mark.parametrize(("offset", "limit"), [(-1, 5), (0, 0), (0, -3)])
async def test_a_page_that_cannot_be_is_refused(kind: Kind, offset: int, limit: int):
    store = kind.artifacts()
    made = await store.put(KEY, "text")
    with pytest.raises(ValueError, match="offset must be"):
        await store.page(KEY, made, offset, limit)


async def test_a_text_above_the_limit_is_refused_and_one_at_it_is_kept(kind: Kind):
    store = kind.artifacts()
    text = "é" * (MAX_ARTIFACT_BYTES // 2)
    with pytest.raises(ValueError, match="at most 67108864 bytes"):
        await store.put(KEY, text + "e")
    made = await store.put(KEY, text)
    page = await store.page(KEY, made, len(text) - 3, 100)
    assert page is not None and page.text == "ééé" and page.total_chars == len(text)


async def test_an_artifact_lives_from_touch_to_touch(kind: Kind):
    store = kind.artifacts(ttl=timedelta(seconds=0.6))
    made = await store.put(KEY, "text")
    for _ in range(3):
        await asyncio.sleep(0.3)
        assert await store.page(KEY, made, 0, 10) is not None
    await asyncio.sleep(0.8)
    assert await store.page(KEY, made, 0, 10) is None


async def test_half_an_artifact_is_not_there_and_putting_again_completes_it(valkey: Redis):
    store = RedisArtifacts(valkey, ttl=timedelta(minutes=1), prefix="half")
    made = await store.put(KEY, "text")
    names = await valkey.keys("half:*")  # pyright: ignore[reportUnknownMemberType] - **kwargs has no type
    await valkey.hdel(names[0], "chars")
    assert await store.page(KEY, made, 0, 10) is None
    assert await store.put(KEY, "text") == made
    assert await whole(store, made, 10) == "text"


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_survives_its_bytes(text: str):
    assert decode(encode(text)) == text
