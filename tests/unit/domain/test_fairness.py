"""Every task queues under its tenant, in a form that Temporal takes."""

import pytest
from pydantic import JsonValue

from theseus.domain.fairness import LONGEST_BYTES, fairness_key


@pytest.mark.parametrize(
    ("task", "key"),
    [
        ({"query": "x", "tenant_id": "acme"}, "acme"),
        ({"query": "x"}, None),
        ({"query": "x", "tenant_id": ""}, None),
        ({"query": "x", "tenant_id": 7}, None),
        ("no task at all", None),
    ],
)
def test_the_tenant_is_the_key(task: JsonValue, key: str | None):
    assert fairness_key(task) == key


@pytest.mark.parametrize("tenant", ["a" * 128, "é" * 40, "\ud800"])
def test_a_tenant_that_temporal_cannot_take_gets_a_key_of_its_own(tenant: str):
    key = fairness_key({"tenant_id": tenant})
    assert key is not None and key.isascii() and len(key) == LONGEST_BYTES
    assert key != fairness_key({"tenant_id": tenant + "b"})
