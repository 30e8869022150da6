"""The gateway over real gRPC: the server on a free port in front of a gateway's backend, and a client of it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass

from theseus.gateway.backend import Backend
from theseus.gateway.rpc.methods import SERVICE
from theseus.gateway.rpc.server import listening

Metadata = tuple[tuple[str, str], ...]


@dataclass
class Wire:
    """A channel to a server that answers."""

    channel: grpc.aio.Channel
    address: str

    def start(
        self, method: str, *, beside: Metadata = (), timeout: float | None = 30, **fields: Any
    ) -> grpc.aio.UnaryUnaryCall[Any, Any]:
        """Begins a call of a method by its name; `beside` is its metadata."""
        known = SERVICE.methods_by_name[method]
        question = GetMessageClass(known.input_type)
        stub: Any = self.channel.unary_unary(
            f"/{SERVICE.full_name}/{method}",
            request_serializer=question.SerializeToString,
            response_deserializer=GetMessageClass(known.output_type).FromString,
        )
        return stub(question(**fields), metadata=beside, timeout=timeout)

    async def call(self, method: str, **fields: Any) -> Any:
        """The answer of a method."""
        return await self.start(method, **fields)

    async def refused(self, method: str, **fields: Any) -> tuple[str, str]:
        """The name of the status and the words by which a call is refused."""
        try:
            answer = await self.start(method, **fields)
        except grpc.aio.AioRpcError as error:
            return error.code().name, error.details() or ""
        raise AssertionError(f"{method} was not refused: {answer}")


@asynccontextmanager
async def wire(backend: Backend) -> AsyncGenerator[Wire]:
    """Serves a backend over gRPC while the context is open."""
    async with listening(backend, "127.0.0.1", 0) as port:
        address = f"127.0.0.1:{port}"
        async with grpc.aio.insecure_channel(address) as channel:
            yield Wire(channel, address)
