"""Who may call over gRPC, how what went wrong is said, and how the server behaves: health, reflection, limits, the end."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from starlette.requests import HTTPConnection
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from tests.gateway.test_grpc import IDS, rpc
from tests.gateway.test_steering import ENDLESS
from tests.support.gateway import Gateway, Troubled
from tests.support.rpc import Wire, wire
from tests.support.world import until
from theseus.client import InputTooLargeError
from theseus.contracts.errors import InvalidInput
from theseus.gateway.callers import Caller
from theseus.gateway.refusals import Refusal
from theseus.gateway.rpc.methods import METHODS, SERVICE
from theseus.gateway.rpc.protocol import orchestrator_pb2 as protocol
from theseus.gateway.rpc.server import listening
from theseus.stores.archive.port import ArchiveDownError
from theseus.stores.ports import StoreDownError

__all__ = ("rpc",)

MORE = {
    "SubmitTask": {"query": "hello"},
    "ApproveTask": {"approval_id": "a", "approved": True},
    "SendSwarmMessage": {"message": "hello"},
}


@dataclass
class Keys:
    """Knows callers by their keys, in either header, as any authenticator of ours."""

    callers: dict[str, Caller]

    async def caller(self, connection: HTTPConnection) -> Caller:
        key = connection.headers.get("x-api-key") or connection.headers.get("authorization", "").removeprefix("Bearer ")
        if key not in self.callers:
            raise Refusal(401, "Authentication required", {"WWW-Authenticate": "Bearer"})
        return self.callers[key]


TWO = Keys(
    {
        "a": Caller("ann", "t-a", "key-a"),
        "b": Caller("bob", "t-b", "key-b"),
        "reads": Caller("ann", "t-a", "key-r", scopes=frozenset({"tasks:read"})),
        "boss": Caller("eve", "t-a", "key-e", is_admin=True),
    }
)
A, B = (("x-api-key", "a"),), (("authorization", "Bearer b"),)


@pytest_asyncio.fixture
async def keyed(door: Gateway) -> AsyncIterator[Wire]:
    """The same world, where one has to have a key."""
    async with wire(replace(door.backend, authenticator=TWO)) as made:
        yield made


@pytest.mark.parametrize("method", METHODS)
async def test_nobody_without_a_key_gets_an_answer(keyed: Wire, method: str) -> None:
    assert await keyed.refused(method) == ("UNAUTHENTICATED", "Authentication required")
    assert (await keyed.refused(method, beside=(("x-api-key", "wrong"),)))[0] == "UNAUTHENTICATED"


async def test_what_is_another_tenants_is_not_there(keyed: Wire, door: Gateway) -> None:
    door.world.model.replace(ENDLESS)
    asked = {"query": "mine", "metadata": {"session_id": "s-1", "labels": {"mode": "simple"}}}
    mine = (await keyed.call("SubmitTask", beside=A, **asked)).task_id
    assert (await keyed.call("GetTaskStatus", beside=A, task_id=mine)).task_id == mine
    for method, name in IDS.items():
        refused = await keyed.refused(method, beside=B, **{**MORE.get(method, {}), name: mine})
        assert refused == ("NOT_FOUND", "Task not found"), method
    assert (await keyed.refused("GetSessionContext", beside=B, session_id="s-1"))[0] == "NOT_FOUND"
    for method in ("ListTasks", "GetPendingApprovals"):
        assert not (await keyed.call(method, beside=B, session_id="s-1")).ByteSize(), method
    listed = await keyed.call("ListTasks", beside=A, session_id="s-1")
    assert [each.task_id for each in listed.tasks] == [mine]
    await keyed.call("CancelTask", beside=A, task_id=mine)


@pytest.mark.parametrize(
    ("method", "fields", "words"),
    [
        ("SubmitTask", {"query": "x", "metadata": {"user_id": "bob"}}, "user_id"),
        ("SubmitTask", {"query": "x", "metadata": {"tenant_id": "t-b"}}, "tenant_id"),
        ("ListTasks", {"user_id": "bob"}, "user_id"),
        ("GetPendingApprovals", {"user_id": "bob"}, "user_id"),
        ("SubmitReviewDecision", {"workflow_id": "task-1", "approved_by": "bob"}, "user_id"),
        ("ApproveTask", {"workflow_id": "task-1", "approval_id": "a", "approved_by": "bob"}, "approved_by"),
    ],
)
async def test_nobody_acts_for_somebody_else(keyed: Wire, method: str, fields: dict[str, Any], words: str) -> None:
    code, said = await keyed.refused(method, beside=A, **fields)
    assert code == "PERMISSION_DENIED" and words in said


async def test_who_may_act_for_all_of_a_tenant_does(keyed: Wire) -> None:
    boss = (("x-api-key", "boss"),)
    submitted = await keyed.call("SubmitTask", beside=boss, query="x", metadata={"user_id": "ann", "tenant_id": "t-a"})
    listed = await keyed.call("ListTasks", beside=A)
    assert [each.task_id for each in listed.tasks] == [submitted.task_id], "it is hers"


async def test_a_key_does_only_what_it_is_for(keyed: Wire) -> None:
    beside = (("x-api-key", "reads"),)
    assert (await keyed.call("ListTasks", beside=beside)).total_count == 0
    code, words = await keyed.refused("SubmitTask", beside=beside, query="hello")
    assert code == "PERMISSION_DENIED" and "tasks:write" in words


ERRORS = [
    (Refusal(400, "bad"), "INVALID_ARGUMENT", "bad"),
    (Refusal(401, "who are you?"), "UNAUTHENTICATED", "who are you?"),
    (Refusal(403, "no"), "PERMISSION_DENIED", "no"),
    (Refusal(404, "Task not found"), "NOT_FOUND", "Task not found"),
    (Refusal(409, "stale"), "FAILED_PRECONDITION", "stale"),
    (Refusal(429, "slow down", {"Retry-After": "7"}), "RESOURCE_EXHAUSTED", "slow down"),
    (InvalidInput("query: no", field="query"), "INVALID_ARGUMENT", "query: no"),
    (InputTooLargeError("too large"), "RESOURCE_EXHAUSTED", "too large"),
    (ArchiveDownError("postgres://user:secret@host"), "UNAVAILABLE", "the database does not answer"),
    (StoreDownError("redis://:secret@host"), "UNAVAILABLE", "Redis does not answer"),
    (RPCError("gone", RPCStatusCode.UNAVAILABLE, b""), "UNAVAILABLE", "Temporal does not answer"),
    (RPCError("gone", RPCStatusCode.NOT_FOUND, b""), "NOT_FOUND", "Task not found"),
    (RPCError("secret", RPCStatusCode.PERMISSION_DENIED, b""), "INTERNAL", "Temporal refused"),
    (KeyError("secret"), "INTERNAL", "internal error"),
    (Refusal(400, "é" * 5000), "INVALID_ARGUMENT", "é" * 1000),
]


@pytest.mark.parametrize(("error", "status", "words"), ERRORS)
async def test_every_error_leaves_by_one_table(door: Gateway, error: Exception, status: str, words: str) -> None:
    async with wire(replace(door.backend, authenticator=Troubled(error))) as made:
        call = made.start("ListTasks", beside=(("x-request-id", "r-1"),))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
    assert refused.value.code().name == status
    said = refused.value.details() or ""
    assert words in said and "secret" not in said
    trailers = dict(refused.value.trailing_metadata() or ())
    assert trailers["x-request-id"] == "r-1"
    if isinstance(error, Refusal) and error.headers:
        assert trailers["retry-after"] == "7"


@asynccontextmanager
async def relayed(address: str) -> AsyncGenerator[tuple[str, Callable[[], None]]]:
    """A way to an address that can be cut."""
    there: set[asyncio.StreamWriter] = set()

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = address.rpartition(":")
        far, sink = await asyncio.open_connection(host, int(port))
        there.update((writer, sink))
        await asyncio.gather(carry(reader, sink), carry(far, writer))

    server = await asyncio.start_server(joined, "127.0.0.1", 0)

    def cut() -> None:
        server.close()
        for each in there:
            each.close()

    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", cut
    finally:
        cut()


async def test_a_temporal_that_is_away_is_said(door: Gateway) -> None:
    async with relayed(door.world.client.service_client.config.target_host) as (address, cut):
        far = await Client.connect(address, data_converter=door.world.client.data_converter)
        async with wire(replace(door.backend, temporal=far)) as made:
            health: Any = health_pb2_grpc.HealthStub(made.channel)
            cut()
            refused = (made.refused("SubmitTask", query="hello"), made.refused("CancelTask", task_id="task-1"))
            for code, words in await asyncio.gather(*refused):
                assert code == "UNAVAILABLE" and "Temporal" in words

            async def is_told() -> bool:
                return not await is_serving(health, SERVICE.full_name)

            await until(is_told)
            assert await is_serving(health, ""), "the process answers"
        listed = (await door.http.get("/api/v1/tasks")).json()["tasks"]
        assert [each["status"] for each in listed] == ["TASK_STATUS_QUEUED"], "whether it runs nobody could say by then"


async def is_serving(health: Any, service: str) -> bool:
    said = await health.Check(health_pb2.HealthCheckRequest(service=service))
    return said.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_is_told_to_all_who_ask(keyed: Wire) -> None:
    health: Any = health_pb2_grpc.HealthStub(keyed.channel)

    async def serves() -> bool:
        return await is_serving(health, SERVICE.full_name)

    await until(serves)
    assert await is_serving(health, "")
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await is_serving(health, "other")
    assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    watching = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE.full_name))
    assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
    watching.cancel()


async def test_a_client_that_has_only_reflection_can_talk(rpc: Wire) -> None:
    def talk() -> tuple[list[str], Any]:
        with grpc.insecure_channel(rpc.address) as channel:
            known: Any = ProtoReflectionDescriptorDatabase(channel)
            method = DescriptorPool(known).FindServiceByName(SERVICE.full_name).methods_by_name["ListTemplates"]
            call: Any = channel.unary_unary(
                f"/{SERVICE.full_name}/ListTemplates",
                request_serializer=GetMessageClass(method.input_type).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            return list(known.get_services()), call(GetMessageClass(method.input_type)(), timeout=30)

    services, answer = await asyncio.to_thread(talk)
    assert {SERVICE.full_name, "grpc.health.v1.Health"} <= set(services)
    assert answer.templates


async def test_what_is_no_request_is_refused(rpc: Wire) -> None:
    channel: Any = rpc.channel
    call = channel.unary_unary(f"/{SERVICE.full_name}/SubmitTask")
    for body in (b"\xff\xff", b"\x12\x02\xff\xfe"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(body)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "SubmitTaskRequest" in (refused.value.details() or "")
    with pytest.raises(grpc.aio.AioRpcError) as large:
        await call(bytes(3 * 1024 * 1024))
    assert large.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    unknown = channel.unary_unary(f"/{SERVICE.full_name}/RecordTokenUsage")
    with pytest.raises(grpc.aio.AioRpcError) as none:
        await unknown(b"")
    assert none.value.code() is grpc.StatusCode.UNIMPLEMENTED


@dataclass
class Gate:
    """Lets callers in when it is opened; says when one has come, and when one has left."""

    opened: asyncio.Event = field(default_factory=asyncio.Event)
    come: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def caller(self, connection: HTTPConnection) -> Caller:
        self.come.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return Caller("dev", "", "open")


async def test_a_deadline_ends_the_work_too(door: Gateway) -> None:
    gate = Gate()
    async with wire(replace(door.backend, authenticator=gate)) as made:
        assert (await made.refused("ListTasks", timeout=0.2))[0] == "DEADLINE_EXCEEDED"
        await asyncio.wait_for(gate.left.wait(), 5)


async def test_a_server_that_stops_finishes_what_was_asked(door: Gateway) -> None:
    gate, stop = Gate(), asyncio.Event()
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        async with listening(replace(door.backend, authenticator=gate), "127.0.0.1", 0) as port:
            ready.set_result(port)
            await stop.wait()

    serving = asyncio.create_task(serve())
    address = f"127.0.0.1:{await ready}"
    async with grpc.aio.insecure_channel(address) as channel:
        asked = asyncio.ensure_future(Wire(channel, address).call("ListTasks"))
        await gate.come.wait()
        stop.set()

        async def takes_no_more() -> bool:
            async with grpc.aio.insecure_channel(address) as late:
                return (await Wire(late, address).refused("ListTasks", timeout=1))[0] == "UNAVAILABLE"

        await until(takes_no_more)
        assert not serving.done()
        gate.opened.set()
        assert (await asked).total_count == 0
        await asyncio.wait_for(serving, 10)


async def test_a_port_that_is_taken_is_said(door: Gateway) -> None:
    async with listening(door.backend, "127.0.0.1", 0) as port:
        with pytest.raises(OSError, match=str(port)):
            async with listening(door.backend, "127.0.0.1", port):
                pass


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]


@pytest.mark.e2e
async def test_the_command_serves_both_until_it_is_told_to_stop(door: Gateway, tmp_path: Path) -> None:
    http_port, port = free_ports(2)
    own = {
        "TEMPORAL_ADDRESS": door.world.client.service_client.config.target_host,
        "THESEUS_TASK_QUEUE": door.world.settings.task_queue,
        "THESEUS_DATA_DIR": str(tmp_path / "not" / "there" / "yet"),
        "GATEWAY_SKIP_AUTH": "1",
    }
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "theseus", "gateway", "--port", str(http_port), "--grpc-port", str(port)),
        env={**os.environ, **own},
    )
    try:
        address = f"127.0.0.1:{port}"
        async with grpc.aio.insecure_channel(address) as channel, httpx.AsyncClient() as http:
            rpc = Wire(channel, address)
            asked = {"query": "hello", "metadata": {"labels": {"mode": "simple"}}}
            await asyncio.wait_for(channel.channel_ready(), 30)
            task_id = (await rpc.call("SubmitTask", **asked)).task_id

            async def is_done() -> bool:
                status = (await rpc.call("GetTaskStatus", task_id=task_id)).status
                return status == protocol.TASK_STATUS_COMPLETED

            await until(is_done)
            seen = await http.get(f"http://127.0.0.1:{http_port}/api/v1/tasks/{task_id}")
            assert seen.json()["status"] == "TASK_STATUS_COMPLETED"
        made.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(made.wait(), 20) == 0
    finally:
        if made.returncode is None:
            made.kill()
            await made.wait()
