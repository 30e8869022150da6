"""An operation of an OpenAPI document is a tool: its request is what the document says, and goes nowhere else."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.shop import DOCUMENT, Shop, shop
from theseus.activities.tools.declarations import ToolFileError, parsed
from theseus.activities.tools.openapi import tools as openapi
from theseus.activities.tools.openapi.file import load_apis
from theseus.activities.tools.registry import Outcome, Registry, ToolContext
from theseus.contracts.messages import ToolCall
from theseus.contracts.session import SessionKey
from theseus.contracts.tools import Effect

CONTEXT = ToolContext(SessionKey(session_id="s"), task_id="task-1", idempotency_key="task-1:4:c")
KEY = "a-very/secret key-1"


class There:
    """A registry with the tools of the shop."""

    def __init__(self, registry: Registry, api: Shop) -> None:
        self.registry = registry
        self.api = api

    async def call(self, name: str, **arguments: Any) -> Outcome:
        """One call."""
        call = ToolCall(id="c", name=f"shop__{name}", arguments=json.dumps(arguments))
        return await self.registry.run(call, CONTEXT)

    @property
    def last(self) -> dict[str, Any]:
        """The last request that the shop got."""
        return self.api.requests[-1]


def written(folder: Path, **entry: Any) -> Path:
    """A file that names one API."""
    file = folder / "apis.yaml"
    file.write_text(yaml.safe_dump([{"name": "shop", **entry}]))
    return file


@asynccontextmanager
async def there(folder: Path, **entry: Any) -> AsyncGenerator[There]:
    """The shop, and its tools by an entry that allows its address."""
    async with shop() as api:
        given = {"document": f"{api.base_url}/openapi.json", "allow": ["127.0.0.1"], **entry}
        registry = Registry([], sources=["shop"])
        async with openapi.serving(load_apis(written(folder, **given), {"SHOP_KEY": KEY}), registry.put):
            yield There(registry, api)


async def test_operations_are_listed_with_their_effects_and_one_that_needs_no_json_is_left_out(tmp_path: Path) -> None:
    async with there(tmp_path, effects={"DELETE /items/*": "idempotent"}) as run:
        effects = {facts.name: facts.effect for facts in run.registry.facts()}
        assert effects["shop__listItems"] == Effect.READ
        assert effects["shop__addItem"] == Effect.WRITE
        assert effects["shop__delete_items_item_id"] == Effect.IDEMPOTENT
        assert "shop__put_photo" not in effects


async def test_references_are_resolved_and_what_refers_to_itself_ends(tmp_path: Path) -> None:
    async with there(tmp_path) as run:
        listing, adding = run.registry.specs(["shop__listItems", "shop__addItem"])
        properties: Any = listing.parameters["properties"]
        assert set(properties) == {"page_size_", "tag", "ids", "where", "X-Trace", "api_key"}
        assert properties["page_size_"] == {"type": "integer", "maximum": 50}
        assert listing.description == "Lists items."
        body: Any = adding.parameters["properties"]
        assert body["body"]["required"] == ["name"]
        assert body["body"]["properties"]["note"] == {"type": ["string", "null"]}
        assert body["body"]["properties"]["parts"] == {"type": "array", "items": {}}


async def test_a_request_is_built_as_the_document_says(tmp_path: Path) -> None:
    async with there(tmp_path, auth={"type": "query", "env": "SHOP_KEY", "name": "api_key"}) as run:
        (spec,) = run.registry.specs(["shop__listItems"])
        assert "api_key" not in json.dumps(spec.parameters)
        outcome = await run.call(
            "listItems", tag=["a", "b&c"], ids=[1, 2], where={"open": True}, page_size_=3, **{"X-Trace": "t 1"}
        )
        assert outcome == Outcome('{"ok":true}')
        assert run.last["path"] == "/v1/items"
        assert run.last["query"] == (
            "page%5Bsize%5D=3&tag=a&tag=b%26c&ids=1%2C2&where%5Bopen%5D=true&api_key=a-very%2Fsecret%20key-1"
        )
        assert run.last["headers"]["x-trace"] == "t 1"
        assert "idempotency-key" not in run.last["headers"]
        await run.call("getItem", item_id="a b/c?d")
        assert run.last["path"] == "/v1/items/a%20b%2Fc%3Fd"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"type": "bearer"}, "authorization", f"Bearer {KEY}"),
        ({"type": "header", "name": "X-Trace"}, "x-trace", KEY),
        ({"type": "basic"}, "authorization", "Basic YS12ZXJ5L3NlY3JldCBrZXktMQ=="),
    ],
    ids=["bearer", "header", "basic"],
)
async def test_a_write_carries_body_key_and_idempotency_key(
    tmp_path: Path, auth: dict[str, str], header: str, value: str
) -> None:
    async with there(tmp_path, auth={**auth, "env": "SHOP_KEY"}) as run:
        await run.call("addItem", body={"name": "\u00e9", "note": None})
        assert (run.last["method"], run.last["body"]) == ("POST", '{"name": "\u00e9", "note": null}')
        assert run.last["headers"]["content-type"] == "application/json"
        assert run.last["headers"]["idempotency-key"] == "task-1:4:c"
        assert run.last["headers"][header] == value
        assert (await run.call("delete_items_item_id", item_id="1")).text == "204 No Content"
        wrong = await run.call("addItem", body={"name": ""})
        assert "body.name: '' should be non-empty" in wrong.text


@pytest.mark.parametrize("item_id", ["..", ".", "", "../admin", "a\\..\\b"])
async def test_no_argument_leads_to_another_path(tmp_path: Path, item_id: str) -> None:
    async with there(tmp_path) as run:
        before = len(run.api.requests)
        assert (await run.call("getItem", item_id=item_id)).is_error
        assert (await run.call("listItems", api_key="k", **{"X-Trace": "a\r\nHost: b"})).is_error
        assert len(run.api.requests) == before


async def test_an_error_tells_its_status_and_the_head_of_its_body_but_no_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "theseus"):
        async with there(tmp_path, auth={"type": "bearer", "env": "SHOP_KEY"}) as run:
            failed = await run.call("fails")
    assert failed.is_error
    assert "/v1/fails answered 503 Service Unavailable; it asks to wait 7\nout of order, Bearer [key]" in failed.text
    assert len(failed.text) < 2500
    assert KEY not in failed.text + caplog.text
    assert KEY[:3] not in failed.text, "not even where the body is cut in the middle of it"


async def test_answers_are_bounded_and_redirects_not_followed(tmp_path: Path) -> None:
    async with there(tmp_path, timeout=1) as run:
        assert (await run.call("photo")).text == "[image/png, 5 bytes: it cannot be shown]"
        moved = await run.call("moved")
        assert "it leads to http://169.254.169.254/latest, which is not followed" in moved.text
        big = await run.call("big")
        assert big.text.endswith("x\n[Left out: all after the first 2097152 bytes]")
        began = time.monotonic()
        slow = await run.call("slow")
        assert "did not answer within 1 s. Whether it had an effect is not known" in slow.text
        assert time.monotonic() - began < 4


async def test_an_answer_in_a_charset_that_takes_for_ever_does_not_stop_the_worker(tmp_path: Path) -> None:
    async with there(tmp_path) as run:
        began = time.monotonic()
        assert await run.call("odd") == Outcome("a9" * 250_000)
        assert time.monotonic() - began < 4


async def test_a_private_address_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    async with shop() as api:
        path = tmp_path / "shop.yaml"
        path.write_text(yaml.safe_dump(DOCUMENT))
        file = written(tmp_path, document="shop.yaml", base_url=api.base_url)
        for allow, is_error in (((), True), (("127.0.0.0/8",), False)):
            registry = Registry([])
            async with openapi.serving(load_apis(file, {}, allow), registry.put):
                outcome = await There(registry, api).call("getItem", item_id="1")
                assert outcome.is_error == is_error
                assert not is_error or "a loopback address, which tools may not connect to" in outcome.text
        assert len(api.requests) == 1


async def test_a_document_that_cannot_be_fetched_now_comes_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openapi, "FIRST_PAUSE", timedelta(seconds=0.2))
    async with shop() as api:
        api.is_down = True
        entries = load_apis(written(tmp_path, document=f"{api.base_url}/openapi.json", allow=["127.0.0.1"]), {})
        registry = Registry([], sources=["shop"])
        async with openapi.serving(entries, registry.put):
            run = There(registry, api)
            assert registry.names == ()
            assert "shop is away" in (await run.call("getItem", item_id="1")).text
            api.is_down = False
            async with asyncio.timeout(10):
                while not registry.names:
                    await asyncio.sleep(0.05)
            assert await run.call("getItem", item_id="1") == Outcome('{"ok":true}')


def broken(**changes: Any) -> str:
    """The shop's document with changes, as JSON."""
    return json.dumps({**DOCUMENT, "servers": [{"url": "https://shop.example/v1"}], **changes})


BAD_REFERENCE = {"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/Nothing"}]}}}
FAR_REFERENCE = {"/a": {"get": {"parameters": [{"$ref": "https://far.example/x.yaml#/A"}]}}}
CIRCLE = {"/a": {"get": {"parameters": [{"$ref": "#/paths/~1a/get/parameters/0"}]}}}
MANY = {f"/{n}": {"get": {"operationId": f"o{n}"}} for n in range(3000)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("openapi: [}", "line 1, column 11: neither YAML nor JSON"),
        ("just text", "document: it is no object"),
        ('{"swagger": "2.0"}', "swagger: OpenAPI 2.0"),
        ('{"openapi": "4.0"}', "openapi: '4.0' is no version"),
        (
            broken(paths=BAD_REFERENCE),
            "paths./a.get.parameters.0: $ref '#/components/parameters/Nothing' leads to noth",
        ),
        (broken(paths=FAR_REFERENCE), "leads out of the document"),
        (broken(paths=CIRCLE), "paths./a.get.parameters.0: more than 12 references"),
        (broken(paths=MANY), "paths: 3000 operations would be tools; at most 128 may"),
        (broken(servers=[{"url": "/v1"}]), "servers.0.url: '/v1' is no whole web address"),
        (broken(info="x" * 10_000_000), "larger than 5242880 bytes"),
    ],
    ids=["yaml", "text", "swagger", "version", "broken", "far", "circle", "many", "server", "large"],
)
async def test_a_broken_document_stops_the_start_with_its_name_and_the_place(
    tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "shop.yaml").write_text(text)
    began = time.monotonic()
    with pytest.raises(ToolFileError) as caught:
        async with openapi.serving(load_apis(written(tmp_path, document="shop.yaml"), {}), Registry([]).put):
            pass
    assert str(caught.value).startswith(f"{tmp_path / 'shop.yaml'}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 5


async def test_a_document_of_thousands_of_operations_serves_those_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_text(broken(paths=MANY))
    registry = Registry([])
    entry = written(tmp_path, document="shop.json", operations=["o7", "GET /29*"])
    async with openapi.serving(load_apis(entry, {}), registry.put):
        assert "shop__o7" in registry.names
        assert len(registry.names) == 112


@pytest.mark.parametrize("last", ["[*a8]", "{<<: [*a8, *a8]}", "&b [*b]"], ids=["lists", "merged", "itself"])
def test_a_document_that_aliases_make_endless_is_refused_at_once(last: str) -> None:
    kind = "{{<<: [{}]}}" if "<<" in last else "[{}]"
    first = "a0: &a0 {k: 1}\n"
    levels = "".join(f"a{n}: &a{n} {kind.format(', '.join([f'*a{n - 1}'] * 10))}\n" for n in range(1, 9))
    began = time.monotonic()
    with pytest.raises(ToolFileError, match="with its aliases filled in"):
        parsed(f"{first}{levels}end: {last}\n".encode(), "apis.yaml")
    assert time.monotonic() - began < 2


async def test_a_document_that_grows_when_it_is_inlined_is_bounded(tmp_path: Path) -> None:
    schemas: dict[str, Any] = {"S0": {"type": "string"}}
    for n in range(1, 12):
        reference = {"$ref": f"#/components/schemas/S{n - 1}"}
        schemas[f"S{n}"] = {"type": "object", "properties": {str(k): reference for k in range(10)}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/S11"}}}
    paths: Any = {"/a": {"post": {"requestBody": {"content": content}}}, "/b": {"get": {}}}
    (tmp_path / "shop.json").write_text(broken(paths=paths, components={"schemas": schemas}))
    registry = Registry([])
    began = time.monotonic()
    async with openapi.serving(load_apis(written(tmp_path, document="shop.json"), {}), registry.put):
        assert "shop__get_b" in registry.names
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"document": "x", "auth": {"type": "bearer", "env": "NOT_SET"}}, "shop.auth.env: the variable NOT_SET"),
        ({"document": "x", "auth": {"type": "header", "env": "K"}}, "0.auth: Value error, auth of type header needs"),
        ({"document": "x", "allow": ["a b"]}, "shop.allow: 'a b' is no host"),
        ({"document": "x", "base_url": "ftp://x"}, "shop.base_url: no web address"),
        ({"document": "x", "surprise": 1}, "0.surprise: Extra inputs are not permitted"),
        ({}, "0.document: Field required"),
    ],
)
def test_a_wrong_entry_is_named_with_its_place(tmp_path: Path, entry: dict[str, Any], told: str) -> None:
    with pytest.raises(ToolFileError) as caught:
        load_apis(written(tmp_path, **entry), {})
    assert told in str(caught.value)
    assert str(tmp_path / "apis.yaml") in str(caught.value)
