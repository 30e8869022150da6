"""The catalogue offers what can be used, in order, at its price; and says what to set when nothing can."""

from pathlib import Path

import pytest

from theseus.activities.llm.catalogue import Catalogue, CatalogueError, UnusableError
from theseus.contracts.messages import Route
from theseus.contracts.rates import RateLimits
from theseus.contracts.task import ModelTier

SMALL = """
providers:
  - {name: one, kind: openai, base_url: "http://one", key_variable: ONE_KEY}
  - {name: two, kind: anthropic, base_url_variable: TWO_URL, key_variable: TWO_KEY, key_optional_with_base_url: true}
models:
  - {provider: two, model: b, tiers: [small, large], priority: 2, context_window_tokens: 8000, max_output_tokens: 1000, input_price: 0.05, output_price: 0.4, cached_price: 0.005}
  - {provider: one, model: a, tiers: [small], priority: 1, context_window_tokens: 8000, max_output_tokens: 1000}
  - {provider: two, model: a, tiers: [medium], priority: 3, context_window_tokens: 8000, max_output_tokens: 1000}
"""


def loaded(tmp_path: Path, text: str = SMALL, **env: str) -> Catalogue:
    file = tmp_path / "models.yaml"
    file.write_text(text)
    return Catalogue.load(file, env)


def names(catalogue: Catalogue, tier: ModelTier, model: str | None = None, provider: str | None = None) -> list[str]:
    return [str(card.route) for card in catalogue.cards(tier, model, provider)]


def test_models_come_by_priority_among_the_providers_that_can_be_used(tmp_path: Path) -> None:
    assert names(loaded(tmp_path, ONE_KEY="k", TWO_KEY="k"), ModelTier.SMALL) == ["one/a", "two/b"]
    assert names(loaded(tmp_path, TWO_URL="http://two"), ModelTier.SMALL) == ["two/b"]


def test_a_tier_that_nobody_offers_is_served_by_what_there_is(tmp_path: Path) -> None:
    assert names(loaded(tmp_path, ONE_KEY="k"), ModelTier.LARGE) == ["one/a"]


def test_overrides_pick_model_and_provider(tmp_path: Path) -> None:
    both = loaded(tmp_path, ONE_KEY="k", TWO_KEY="k")
    assert names(both, ModelTier.LARGE, model="a") == ["one/a", "two/a"]
    assert names(both, ModelTier.SMALL, provider="two") == ["two/b"]
    assert names(both, ModelTier.SMALL, model="brand-new", provider="two") == ["two/brand-new"]


EMBEDDINGS = """embeddings:
  - {provider: two, model: v, input_price: 1}
  - {provider: one, model: v, input_price: 2}
  - {provider: one, model: w/x, input_price: 3}
"""


@pytest.mark.parametrize(
    ("name", "found", "price"),
    [
        ("v", "one/v", 2),
        ("one/v", "one/v", 2),
        ("w/x", "one/w/x", 3),
        ("one/w/x", "one/w/x", 3),
        ("one/new", "one/new", 0.2),
    ],
)
def test_an_embedding_model_is_found_by_its_name(tmp_path: Path, name: str, found: str, price: float) -> None:
    entry = loaded(tmp_path, SMALL + EMBEDDINGS, ONE_KEY="k").embedding(name)
    assert (f"{entry.provider}/{entry.model}", entry.input_price) == (found, price)


@pytest.mark.parametrize(
    ("name", "words"), [("u", "listed: two/v"), ("one/v", "set ONE_KEY"), ("v", "set TWO_KEY"), ("three/v", "listed")]
)
def test_an_embedding_model_that_cannot_be_had_says_why(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(UnusableError, match=words):
        loaded(tmp_path, SMALL + EMBEDDINGS).embedding(name)


def test_an_embedding_model_of_no_provider_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="embeddings: no provider four"):
        loaded(tmp_path, SMALL + "embeddings:\n  - {provider: four, model: v}\n")


@pytest.mark.parametrize(
    ("env", "model", "provider", "words"),
    [
        ({}, None, None, "ONE_KEY"),
        ({"ONE_KEY": "k"}, "zzz", None, "usable now: a"),
        ({"ONE_KEY": "k"}, "b", None, "offered by two"),
        ({"ONE_KEY": "k"}, None, "two", "TWO_KEY or TWO_URL"),
        ({"ONE_KEY": "k"}, None, "three", "known: one, two"),
    ],
)
def test_what_cannot_be_used_says_why(
    tmp_path: Path, env: dict[str, str], model: str | None, provider: str | None, words: str
) -> None:
    with pytest.raises(UnusableError, match=words):
        loaded(tmp_path, **env).cards(ModelTier.SMALL, model, provider)


def test_prices_become_whole_micro_dollars_per_million_tokens(tmp_path: Path) -> None:
    card = loaded(tmp_path, TWO_KEY="k").cards(ModelTier.SMALL)[0]
    assert (card.input_price, card.output_price, card.cached_price, card.cache_write_price) == (
        50_000,
        400_000,
        5_000,
        50_000,
    )


def test_a_model_that_the_file_does_not_list_is_dear_and_small(tmp_path: Path) -> None:
    entry = loaded(tmp_path).entry(Route(provider="one", model="unlisted"))
    assert entry.input_price >= 1 and entry.context_window_tokens <= 32_000


def test_a_call_keeps_the_limits_of_its_model_and_of_its_provider(tmp_path: Path) -> None:
    text = SMALL.replace("priority: 2", "priority: 2, rate_limits: {input_tokens_per_minute: 9}")
    text = text.replace("name: two", "name: two, rate_limits: {requests_per_minute: 5}")
    limits = loaded(tmp_path, text).rate_limits
    of_both = {"": RateLimits(requests_per_minute=5), "b": RateLimits(input_tokens_per_minute=9)}
    assert limits(Route(provider="two", model="b")) == of_both
    assert limits(Route(provider="two", model="unlisted")) == {"": RateLimits(requests_per_minute=5)}
    assert limits(Route(provider="one", model="a")) == limits(Route(provider="gone", model="a")) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("providers: [", "not YAML"),
        ("models: []", "providers"),
        (SMALL.replace("kind: openai", "kind: smoke"), "providers.0.kind"),
        (
            SMALL
            + "  - {provider: nobody, model: c, tiers: [small], priority: 1, context_window_tokens: 8000, max_output_tokens: 500}",
            "nobody",
        ),
        (SMALL.replace("provider: two, model: b", "provider: one, model: a"), "one/a given twice"),
        (SMALL.replace("priority: 2", "priority: first"), "models.0.priority"),
        (SMALL.replace("priority: 2", "priority: 2, rate_limits: {per_day: 5}"), "models.0.rate_limits.per_day"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CatalogueError, match=words) as info:
        loaded(tmp_path, text)
    assert "models.yaml" in str(info.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(CatalogueError, match="THESEUS_MODELS_FILE"):
        Catalogue.load(Path("/nowhere/models.yaml"), {})


@pytest.mark.parametrize("tier", list(ModelTier))
def test_the_shipped_catalogue_serves_every_tier_of_every_large_provider(tier: ModelTier) -> None:
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "XAI_API_KEY"):
        assert Catalogue.load(None, {key: "k"}).cards(tier), key
    for url in ("OPENAI_BASE_URL", "OLLAMA_BASE_URL", "VLLM_BASE_URL", "THESEUS_LOCAL_BASE_URL"):
        assert Catalogue.load(None, {url: "http://127.0.0.1:1/v1"}).cards(tier), url
