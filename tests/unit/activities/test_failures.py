"""One table decides: what a provider's error is called, whether it is tried again, after how long; and no key gets out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from tests.support.servers import free_port
from tests.support.wire import events, playing
from tests.unit.activities.test_llm_providers import call, chunk, heard, started
from theseus.activities.failures import LONGEST_WAIT, ProviderError, failure
from theseus.activities.llm.anthropic import AnthropicProvider
from theseus.activities.llm.openai import OpenAIProvider
from theseus.activities.llm.provider import Provider
from theseus.contracts.messages import Route

ROUTE = Route(provider="p", model="m-1")
PROVIDERS: list[Callable[[str], Provider]] = [
    lambda url: OpenAIProvider(f"{url}/v1", "sk-secret-key-123456"),
    lambda url: AnthropicProvider(url, "sk-ant-secret-key-123456"),
]


async def failed(
    provider: Callable[[str], Provider], body: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> ApplicationError:
    async with playing(body, status, headers) as wire:
        return await _failed(provider(wire.url))


async def _failed(provider: Provider) -> ApplicationError:
    with pytest.raises(ProviderError) as info:
        await heard(provider, call())
    return failure(info.value, ROUTE, key_variable="P_API_KEY")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("status", "words", "kind", "retried"),
    [
        (400, "bad field", "BadRequest", False),
        (400, "This model's maximum context length is 8192 tokens", "ContextTooLong", False),
        (400, "prompt is too long: 9999 tokens", "ContextTooLong", False),
        (400, "rejected by our content policy", "ContentPolicy", False),
        (401, "no", "Auth", False),
        (403, "no", "Auth", False),
        (404, "no such model", "NotFound", False),
        (408, "slow", "Overloaded", True),
        (413, "too large", "ContextTooLong", False),
        (422, "bad", "BadRequest", False),
        (429, "slow down", "RateLimited", True),
        (500, "oops", "Overloaded", True),
        (503, "oops", "Overloaded", True),
        (529, "overloaded", "Overloaded", True),
    ],
)
async def test_a_status_has_one_meaning(
    provider: Callable[[str], Provider], status: int, words: str, kind: str, retried: bool
) -> None:
    error = await failed(provider, f'{{"error": {{"message": "{words}", "type": "x"}}}}', status)
    assert (error.type, error.non_retryable) == (kind, not retried)
    assert f"p/m-1 answered {status}" in error.message and words in error.message
    assert error.message.count(str(status)) == 1, "said once"
    assert (error.category is ApplicationErrorCategory.BENIGN) == (status == 429)


def in_ten_seconds() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "3"}, 3, 3),
        ({"retry-after": "0.5"}, 0.5, 0.5),
        ({"retry-after-ms": "1500"}, 1.5, 1.5),
        ({"retry-after": "999999999"}, LONGEST_WAIT.total_seconds(), LONGEST_WAIT.total_seconds()),
        ({"retry-after": "when"}, None, None),
        ({"retry-after": "-4"}, None, None),
        ({}, None, None),
    ],
)
async def test_the_wait_that_a_provider_asks_for(
    provider: Callable[[str], Provider], headers: dict[str, str], least: float | None, most: float | None
) -> None:
    error = await failed(provider, "{}", 429, headers)
    wait = error.next_retry_delay
    assert (wait is None) == (least is None)
    if wait is not None and least is not None and most is not None:
        assert least <= wait.total_seconds() <= most


async def test_the_wait_may_be_a_date() -> None:
    error = await failed(PROVIDERS[0], "{}", 429, {"retry-after": in_ten_seconds()})
    assert error.next_retry_delay is not None and 5 <= error.next_retry_delay.total_seconds() <= 10


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_nobody_there(provider: Callable[[str], Provider]) -> None:
    error = await _failed(provider(f"http://127.0.0.1:{free_port()}"))
    assert (error.type, error.non_retryable) == ("Unreachable", False)


IN_STREAM: list[tuple[Callable[[str], Provider], dict[str, Any], str, bool]] = [
    (PROVIDERS[0], {"error": {"message": "busy", "type": "server_error"}}, "Overloaded", True),
    (PROVIDERS[0], {"error": {"message": "limit", "code": "rate_limit_exceeded"}}, "RateLimited", True),
    (PROVIDERS[1], {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, "Overloaded", True),
    (PROVIDERS[1], {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}, "BadRequest", False),
]


@pytest.mark.parametrize(("provider", "said", "kind", "retried"), IN_STREAM)
async def test_an_error_inside_a_stream_means_what_its_status_would(
    provider: Callable[[str], Provider], said: dict[str, Any], kind: str, retried: bool
) -> None:
    first = chunk({"content": "x"}) if provider is PROVIDERS[0] else started()
    error = await failed(provider, events(first, said))
    assert (error.type, error.non_retryable) == (kind, not retried)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_stream_that_ends_early_is_cut(provider: Callable[[str], Provider]) -> None:
    first = chunk({"content": "x"}) if provider is PROVIDERS[0] else started()
    error = await failed(provider, events(first))
    assert (error.type, error.non_retryable) == ("StreamCut", False)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_is_not_json_is_garbled(provider: Callable[[str], Provider]) -> None:
    error = await failed(provider, "data: {not json\n\n")
    assert (error.type, error.non_retryable) in {("Garbled", False), ("StreamCut", False)}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_key_in_the_provider_s_words_stays_inside(provider: Callable[[str], Provider]) -> None:
    body = '{"error": {"message": "Incorrect API key provided: sk-secret-key-123456. Bearer abcdefghij"}}'
    error = await failed(provider, body, 401)
    assert "secret-key" not in error.message and "abcdefghij" not in error.message
    assert len(error.message) < 700


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", [400, 401, 403, 500])
async def test_who_is_refused_for_a_key_is_told_which_variable_it_comes_from(
    provider: Callable[[str], Provider], status: int
) -> None:
    error = await failed(provider, '{"error": {"message": "wrong"}}', status)
    assert error.message.endswith("; the key is that of P_API_KEY, where the worker runs") == (status == 401)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_only_looks_like_a_key_from_its_middle_on_is_told(provider: Callable[[str], Provider]) -> None:
    error = await failed(provider, '{"error": {"message": "no model task-3f2b8c1e, monkey-business"}}', 400)
    assert "task-3f2b8c1e" in str(error) and "monkey-business" in str(error)
