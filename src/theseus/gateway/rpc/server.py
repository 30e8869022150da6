"""The gRPC server, in the process and the event loop of the gateway."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from theseus.gateway.backend import Backend
from theseus.gateway.edges import MOST_BODY_BYTES
from theseus.gateway.rpc.answering import Answers
from theseus.gateway.rpc.health import Health
from theseus.gateway.rpc.methods import METHODS, SERVICE

GRACE = timedelta(seconds=10)
"""How long calls may finish when the gateway stops."""
MOST_CALLS = 1_000
"""So many at the same time; more are refused with RESOURCE_EXHAUSTED."""

_OPTIONS = (
    ("grpc.max_receive_message_length", MOST_BODY_BYTES),
    # two gateways on one port would share the calls of each other, unseen
    ("grpc.so_reuseport", 0),
)


@asynccontextmanager
async def listening(backend: Backend, host: str, port: int, *, grace: timedelta = GRACE) -> AsyncGenerator[int]:
    """Serves while the context is open; gives the port, a free one for 0.

    Raises:
        OSError: the port is taken, or the address is none of this machine.
    """
    server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MOST_CALLS)
    answers, health = Answers(backend), Health(backend, SERVICE.full_name)
    server.add_generic_rpc_handlers((_handler(answers),))
    health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
    reflection.enable_server_reflection(_names(), server)
    bound = _bind(server, host, port)
    async with health.watched():
        await server.start()
        try:
            yield bound
        finally:
            await health.servicer.enter_graceful_shutdown()
            await server.stop(grace.total_seconds())
            await answers.finish(grace)


def _names() -> tuple[str, ...]:
    health = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
    return (SERVICE.full_name, health, reflection.SERVICE_NAME)


def _bind(server: grpc.aio.Server, host: str, port: int) -> int:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        return server.add_insecure_port(where)
    except RuntimeError as error:
        raise OSError(f"gRPC cannot listen at {where}: {error}") from error


def _handler(answers: Answers) -> grpc.GenericRpcHandler:
    handlers = {each.name: _method(each, answers) for each in SERVICE.methods}
    return grpc.method_handlers_generic_handler(SERVICE.full_name, handlers)


def _method(each: MethodDescriptor, answers: Answers) -> Any:
    # a request is parsed when it is known who calls; what is none is refused as any bad input is
    answer: Any = partial(answers.answer, each, METHODS[each.name])
    unary: Any = grpc.unary_unary_rpc_method_handler
    return unary(answer, response_serializer=GetMessageClass(each.output_type).SerializeToString)
