"""Settings come from the environment alone, say what is wrong by the variable's name, and never guess."""

from datetime import timedelta
from pathlib import Path

import pytest

from theseus.config import SettingsError, load


@pytest.mark.parametrize("text", ["25", "25.0", "PT25S"])
def test_a_duration_is_seconds_or_iso(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("THESEUS_SHUTDOWN_GRACE", text)
    assert load().shutdown_grace == timedelta(seconds=25)


def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THESEUS_FETCH_ALLOW", "intranet.example, 10.0.0.0/8,")
    assert load().fetch_allow == ("intranet.example", "10.0.0.0/8")


def test_redis_has_the_name_that_everyone_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://there:7000/1")
    monkeypatch.setenv("THESEUS_DATA_DIR", "/data")
    assert (load().redis_url, load().workspaces) == ("redis://there:7000/1", Path("/data/workspaces"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("THESEUS_LOG_FORMAT", "xml"),
        ("THESEUS_MAX_ACTIVITIES", "0"),
        ("THESEUS_SHUTDOWN_GRACE", "soon"),
        ("THESEUS_EVENT_CAP", "many"),
        ("THESEUS_SEARCH_PROVIDERS", "brave,altavista"),
        ("THESEUS_BASH", "perhaps"),
        ("THESEUS_MEMORY", "perhaps"),
        ("THESEUS_MEMORY_FACTS", "0"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load()


def test_an_empty_key_or_address_is_none_and_a_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEARXNG_URL", "BRAVE_API_KEY", "EXA_API_KEY", "THESEUS_CORPUS_DIR"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("TAVILY_API_KEY", "tvly-secret")
    settings = load()
    assert (settings.searxng_url, settings.corpus_dir, settings.search_keys) == (None, None, {"tavily": "tvly-secret"})
    assert "tvly-secret" not in repr(settings) + settings.model_dump_json()
