"""`theseus doctor` says where the archive stands and changes nothing in it; a password is in nothing that it says."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.postgres import on_both
from theseus.config import load
from theseus.doctor import doctor
from theseus.stores.archive.opening import archive, engine
from theseus.stores.archive.upgrading import HEAD


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    async def look(url: str) -> dict[str, Any]:
        monkeypatch.setenv("DATABASE_URL", url)
        await doctor(load(), fix=False, as_json=True)
        (found,) = [each for each in json.loads(capsys.readouterr().out) if each["name"] == "archive"]
        return found

    return look


@on_both
async def test_it_tells_the_revision_and_changes_nothing(said: Any, database: str) -> None:
    for _ in range(2):
        found = await said(database)
        assert found["ok"] and f"is empty; who opens it next brings it to {HEAD}" in found["detail"]
    async with archive(database):
        pass
    found = await said(database)
    assert found["ok"] and found["detail"].endswith(f"is at revision {HEAD}")


@on_both
async def test_one_of_a_newer_version_is_bad(said: Any, database: str) -> None:
    async with archive(database), engine(database) as opened, opened.begin() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    found = await said(database)
    assert not found["ok"] and "newer Theseus" in found["detail"] and "version" in found["fix"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://theseus:hunter2@127.0.0.1:1/theseus", "127.0.0.1"),
        ("mysql://theseus:hunter2@127.0.0.1/theseus", "not a database that we know"),
        ("theseus:hunter2", "not an address"),
    ],
)
async def test_one_that_cannot_be_had_is_bad_and_its_password_is_not_told(said: Any, url: str, told: str) -> None:
    found = await said(url)
    assert not found["ok"] and told in found["detail"] and "DATABASE_URL" in found["fix"]
    assert "hunter2" not in json.dumps(found)


async def test_without_one_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    await doctor(load(), fix=False, as_json=True)
    (found,) = [each for each in json.loads(capsys.readouterr().out) if each["name"] == "archive"]
    assert found["ok"] and "DATABASE_URL is not set" in found["detail"]
