"""Under which name a task queues, so that a tenant with many tasks does not keep the others waiting."""

import hashlib

from pydantic import JsonValue

LONGEST_BYTES = 64
"""Temporal takes no longer fairness key."""


def fairness_key(task: JsonValue) -> str | None:
    """The fairness key of a task's raw input: its tenant, shortened where Temporal could not take it; None without one."""
    tenant = task.get("tenant_id") if isinstance(task, dict) else None
    if not isinstance(tenant, str) or not tenant:
        return None
    if tenant.isascii() and len(tenant) <= LONGEST_BYTES:
        return tenant
    return hashlib.sha256(tenant.encode("utf-8", "surrogatepass")).hexdigest()[:LONGEST_BYTES]
