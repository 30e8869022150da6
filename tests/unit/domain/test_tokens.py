"""An estimate is never far below what real tokenizers counted, and rarely far above it."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from theseus.contracts.messages import AssistantMessage, ToolCall, ToolMessage, UserMessage
from theseus.domain.tokens import MESSAGE_TOKENS, estimate, estimate_messages


class Sample(BaseModel):
    name: str
    group: str
    counts: dict[str, int]
    text: str


RECORDED = json.loads((Path(__file__).parent / "recorded_usages.json").read_text(encoding="utf-8"))
SAMPLES = [Sample.model_validate(sample) for sample in RECORDED["samples"]]
CURRENT = ("o200k_base", "llama3", "qwen3")
"""Tokenizers of models in use; the others are older, or of a model for English only."""


def of(*groups: str) -> list[Sample]:
    return [sample for sample in SAMPLES if sample.group in groups]


def named(sample: Sample) -> str:
    return sample.name


@pytest.mark.parametrize("sample", of("english"), ids=named)
def test_english_is_within_bounds_of_every_tokenizer(sample: Sample) -> None:
    ratios = [estimate(sample.text) / count for count in sample.counts.values()]
    if sample.name != "english_markdown":
        assert max(ratios) <= 1.25
    assert min(ratios) >= 0.97


@pytest.mark.parametrize("sample", of("code"), ids=named)
def test_code_is_within_bounds_of_every_tokenizer_in_use(sample: Sample) -> None:
    for tokenizer in (*CURRENT, "claude_legacy"):
        assert 0.97 <= estimate(sample.text) / sample.counts[tokenizer] <= 1.65


@pytest.mark.parametrize("sample", of("chinese"), ids=named)
def test_chinese_is_not_underestimated_and_within_bounds(sample: Sample) -> None:
    ratios = {tokenizer: estimate(sample.text) / sample.counts[tokenizer] for tokenizer in CURRENT}
    assert min(ratios.values()) >= 0.97
    assert ratios["o200k_base"] <= 1.6


@pytest.mark.parametrize("sample", of("script", "latin"), ids=named)
def test_other_languages_are_not_underestimated(sample: Sample) -> None:
    for tokenizer in CURRENT:
        assert estimate(sample.text) / sample.counts[tokenizer] >= 0.9


@pytest.mark.parametrize("sample", [sample for sample in of("odd") if sample.name != "rare_english_words"], ids=named)
def test_text_that_is_no_language_is_not_underestimated(sample: Sample) -> None:
    for tokenizer in CURRENT:
        assert estimate(sample.text) / sample.counts[tokenizer] >= 0.9


def test_a_mixed_conversation_is_overestimated_by_less_than_half() -> None:
    everyday = of("english", "code")
    guessed = sum(estimate(sample.text) for sample in everyday)
    for tokenizer in CURRENT:
        counted = sum(sample.counts[tokenizer] for sample in everyday)
        assert 1.0 <= guessed / counted <= 1.5


def test_rare_words_of_english_are_at_most_a_third_too_few() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "rare_english_words")
    assert estimate(sample.text) / max(sample.counts[tokenizer] for tokenizer in CURRENT) >= 0.67


def test_every_recorded_count_names_its_source() -> None:
    assert {tokenizer for sample in SAMPLES for tokenizer in sample.counts} == set(RECORDED["sources"])


@given(st.text(max_size=300))
def test_any_text_has_an_estimate_of_at_most_a_few_tokens_a_character(text: str) -> None:
    assert 0 <= estimate(text) <= 4 * len(text) + 1


@given(st.text(max_size=200), st.text(max_size=200))
def test_more_text_is_never_fewer_tokens_by_more_than_one_seam(left: str, right: str) -> None:
    assert estimate(left + "\n" + right) >= max(estimate(left), estimate(right)) * 0.5


def test_nothing_is_nothing() -> None:
    assert estimate("") == 0
    assert estimate_messages([]) == 0


def test_a_rare_character_counts_more_than_a_common_one() -> None:
    assert estimate("的" * 100) < estimate("鸑" * 100)


def test_messages_cost_their_text_their_calls_and_an_overhead_each() -> None:
    plain = [UserMessage(text="How deep is the lake?"), AssistantMessage(text="About forty metres.")]
    texts = estimate("How deep is the lake?") + estimate("About forty metres.")
    assert estimate_messages(plain) == texts + 2 * MESSAGE_TOKENS
    call = ToolCall(id="call_1", name="web_search", arguments='{"query": "lake depth"}')
    with_call = estimate_messages([AssistantMessage(text="", tool_calls=(call, call))])
    assert with_call >= MESSAGE_TOKENS + 2 * (estimate(call.name) + estimate(call.arguments))
    result = ToolMessage(call_id="call_1", name="web_search", text="42 m")
    assert estimate_messages([result]) > MESSAGE_TOKENS + estimate("42 m")


@pytest.mark.parametrize("piece", ["a", "A", "1", " ", "-", "Aa1", "aB", "字", "\n", "=-", "é", "a+", "A1b2C3d4/"])
def test_any_text_takes_no_more_than_seconds_a_megabyte(piece: str) -> None:
    started = time.perf_counter()
    estimate(piece * (250_000 // len(piece)))
    assert time.perf_counter() - started < 4
