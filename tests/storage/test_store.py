from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load
from storage.store import Store, default_store


def test_everything_lies_under_home(store: Store) -> None:
    places = [store.hot_path, store.landing, store.quarantine, store.docs, store.reports]
    assert {place.parent for place in places} == {store.home}
    assert len({place.name for place in places}) == len(places)
    assert store.lake_table("candles") == f"{store.home}/lake/candles"


def test_the_default_store_is_where_the_settings_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NIGHTJAR_HOME", str(tmp_path / "desk"))
    monkeypatch.setenv("NIGHTJAR_LAKE", str(tmp_path / "cold"))
    monkeypatch.setenv("NIGHTJAR_LOCK_WAIT", "7")
    assert default_store() == Store(tmp_path / "desk", str(tmp_path / "cold"), 7.0)


def test_relative_settings_become_absolute_paths(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store.of(load(home=Path("data")))
    assert store.home == tmp_path / "data"
    assert store.lake == str(tmp_path / "data" / "lake")


def test_making_a_store_touches_no_file(store: Store) -> None:
    assert not store.home.exists()


def test_a_lake_may_be_in_a_bucket_and_at_no_other_address(tmp_path: Path) -> None:
    store = Store.of(load(lake="s3://bucket/lake/"))
    assert store.lake_table("candles") == "s3://bucket/lake/candles"
    assert not store.owns_lake
    assert not Store(tmp_path / "home", str(tmp_path / "lake")).owns_lake
    with pytest.raises(SettingsError, match="ftp://bucket/lake"):
        Store.of(load(lake="ftp://bucket/lake"))


def test_a_file_of_the_lake_is_named_from_the_lake_on(store: Store) -> None:
    assert store.in_lake(f"{store.lake}/candles/x.parquet") == "candles/x.parquet"
