"""The commands that look after the store, as a person and a program meet them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import nightjar
from storage import hot
from storage.store import default_store
from tests.storage.samples import candles

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_sql_answers_as_the_store_stood(capsys: pytest.CaptureFixture[str]) -> None:
    for hours in range(2):
        when = NOW + timedelta(hours=hours)
        hot.put(default_store(), "candles", candles([hours], ingested_at=when), now=when)
    for asked, count in (("2026-05-31", 0), ("2026-06-01T00:00Z", 1), ("2026-06-02", 2)):
        query = ["sql", "select count(*) as n from candles", "--as-of", asked, "--json"]
        assert nightjar.run(query) == nightjar.DONE
        assert json.loads(capsys.readouterr().out) == [{"n": count}]
    assert nightjar.run(["sql", "from candles", "--as-of", "2026-06-01T00:00"]) != nightjar.DONE
