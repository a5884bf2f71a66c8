from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from storage import hot
from storage.archive import archive
from storage.views import TABLES
from tests.storage.samples import NOW, candles

if TYPE_CHECKING:
    import pytest

    from storage.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "storage.md").read_text()


def test_every_table_is_explained_and_no_other() -> None:
    rows = re.findall(r"^\| ((?:`[a-z_]+` ?)+) \|", PAGE, re.MULTILINE)
    assert sorted(re.findall(r"[a-z_]+", " ".join(rows))) == sorted(TABLES)


def test_the_examples_read_what_they_say(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hot.put(store, "candles", candles(180), now=NOW)
    archive(store, "candles", now=NOW.replace(month=5), hot_days=15)  # March, not April
    store.home.rename(store.home.with_name("data"))
    monkeypatch.chdir(store.home.parent)
    monkeypatch.setenv("NIGHTJAR_HOME", "data")
    names = {"duckdb": duckdb, "pl": pl}
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(code, names)
    assert names["bars"].height == 180
    assert names["recent"].height == 60
    assert pl.scan_delta("data/lake/candles").collect().height == 120
