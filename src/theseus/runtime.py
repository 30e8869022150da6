"""How Theseus speaks Temporal: client, data converter, metrics, search attributes."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, RPCStatusCode

from theseus.config import Settings, SettingsError
from theseus.contracts.control import SEARCH_ATTRIBUTES

DATA_CONVERTER = pydantic_data_converter
STICKY_TIMEOUT = timedelta(seconds=3)
HEARTBEAT_THROTTLE = timedelta(seconds=1)

_TYPES = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
}


def telemetry(settings: Settings) -> Runtime:
    """Core's logs go to ours; its metrics to a Prometheus port when asked.

    Raises:
        SettingsError: that port cannot be listened on.
    """
    metrics = None
    if settings.metrics_address is not None:
        metrics = PrometheusConfig(
            bind_address=settings.metrics_address,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
        )
    lines = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=LogForwardingConfig(logger=logging.getLogger("temporal.core")),
    )
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=metrics, logging=lines, global_tags={"service": "theseus"}))
    except (RuntimeError, ValueError) as error:
        raise SettingsError(f"THESEUS_METRICS_ADDRESS={settings.metrics_address}: {_first_line(error)}") from error


async def connect(
    runtime: Runtime | None = None,
    *,
    address: str | None = None,
    wait: timedelta | None = None,
    patience: timedelta | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """A client for the Temporal of the environment (`TEMPORAL_*`, profiles included).

    Args:
        runtime: Core runtime to use; the process-wide default without it.
        address: host:port that wins over the environment.
        wait: keep trying for so long when nothing answers.
        patience: how long one try may take; without it, as long as the SDK waits.
        interceptors: what stands between the client and Temporal.

    Raises:
        ConnectionError: nothing answers there; the message says where.
    """
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise ConnectionError(f"the TEMPORAL_* settings cannot be used: {_first_line(error)}") from error
    config.setdefault("target_host", "localhost:7233")
    if address is not None:
        config["target_host"] = address
    target = config.get("target_host", "")
    tries = 1 + int((wait or timedelta()).total_seconds())
    for left in reversed(range(tries)):
        try:
            async with asyncio.timeout(patience.total_seconds() if patience is not None else None):
                return await Client.connect(
                    **config, data_converter=DATA_CONVERTER, runtime=runtime, interceptors=interceptors
                )
        except TimeoutError as error:
            raise ConnectionError(
                f"Temporal at {target} lets us in, and does not answer: it is overloaded or stopped; "
                "see its log, start it again, or set TEMPORAL_ADDRESS"
            ) from error
        except (RuntimeError, ValueError, OSError) as error:
            if isinstance(error, OSError | ValueError):
                raise ConnectionError(f"the TEMPORAL_* settings cannot be used: {_first_line(error)}") from error
            if not left:
                raise ConnectionError(
                    f"no Temporal answers at {target}: start one with `theseus dev`, or set TEMPORAL_ADDRESS"
                ) from error
        await asyncio.sleep(1)
    raise AssertionError("unreachable")


async def require_namespace(client: Client, timeout: timedelta | None = None) -> None:
    """See that the namespace is there before anything polls it.

    Raises:
        ConnectionError: it is not, or we may not use it; the message says what to do.
    """
    try:
        wanted = DescribeNamespaceRequest(namespace=client.namespace)
        await client.workflow_service.describe_namespace(wanted, timeout=timeout)
    except RPCError as error:
        if error.status is RPCStatusCode.PERMISSION_DENIED:
            return
        raise ConnectionError(
            f"namespace {client.namespace} cannot be used ({error.message}); "
            f"temporal operator namespace create -n {client.namespace}, or set TEMPORAL_NAMESPACE"
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


async def missing_search_attributes(client: Client) -> list[str]:
    """Names of our search attributes that the namespace does not have, or has with another type.

    Raises:
        RPCError: the server does not let us look.
    """
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    known = answer.custom_attributes
    return [name for name, kind in SEARCH_ATTRIBUTES.items() if known.get(name) != _TYPES[kind]]


async def ensure_search_attributes(client: Client) -> list[str]:
    """Registers what is missing, where it may; gives the names that are still missing."""
    try:
        missing = await missing_search_attributes(client)
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(
                    namespace=client.namespace,
                    search_attributes={name: _TYPES[SEARCH_ATTRIBUTES[name]] for name in missing},
                )
            )
            missing = await missing_search_attributes(client)
    except RPCError:
        return list(SEARCH_ATTRIBUTES)
    return missing
