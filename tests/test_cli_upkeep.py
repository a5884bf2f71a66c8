"""The doctor as a person and a program meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nightjar
from serving.doctor import render_markdown
from storage import hot, landing
from storage.archive import archive
from storage.care.doctor import Checkup, Count, Finding
from storage.cold import cold_files
from storage.store import Store, default_store
from tests.storage.samples import NOW, candles


@pytest.fixture
def store() -> Store:
    """A store whose bars are cold, and in landing too."""
    store = default_store()
    receipt = landing.land(store, "candles", candles(60), source="test", now=NOW)
    hot.merge(store, "candles", candles(60), batch=receipt.path, now=NOW)
    archive(store, "candles", now=NOW, hot_days=0)
    return store


def damage(store: Store) -> None:
    [file] = cold_files(store, landing.DATASETS["candles"])
    with Path(file.path).open("r+b") as handle:
        handle.write(b"XXXX")


def test_a_sound_store_is_said_to_be_so(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert nightjar.run(["doctor"]) == nightjar.DONE
    said = capsys.readouterr().out
    assert said.strip().endswith("The store is sound.")
    assert "candles" in said


def test_damage_is_said_first_and_mended_when_asked(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(store)
    assert nightjar.run(["doctor", "--dry-run"]) == nightjar.FAILED
    assert "1 problem left." in capsys.readouterr().out
    assert nightjar.run(["doctor", "--json"]) == nightjar.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["sound"]
    [finding] = told["checkup"]["findings"]
    assert (finding["part"], finding["mended"]) == ("files of the lake", True)
    assert "60 rows, SHA-256" in finding["how"]
    assert nightjar.run(["doctor"]) == nightjar.DONE


def test_rows_of_a_torn_hot_file_are_back_when_the_doctor_leaves(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = candles(range(60, 240))
    receipt = landing.land(store, "candles", frame, source="test", now=NOW)
    hot.merge(store, "candles", frame, batch=receipt.path, now=NOW)
    store.hot_path.write_bytes(store.hot_path.read_bytes()[:5_000])
    assert nightjar.run(["doctor"]) == nightjar.FAILED  # all else that hot held is gone
    assert "landing's part is merged again" in capsys.readouterr().out
    assert nightjar.run(["sql", "select count(*) as bars from candles", "--json"]) == nightjar.DONE
    assert json.loads(capsys.readouterr().out) == [{"bars": 240}]
    assert nightjar.run(["doctor"]) == nightjar.DONE


def test_an_empty_home_is_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nightjar.run(["doctor"]) == nightjar.DONE
    assert capsys.readouterr().out.strip() == "The store is sound."


def test_the_artifact_cannot_be_broken_by_what_it_names() -> None:
    finding = Finding("lake", "a|b`c", "odd\nname", mended=False, how="[x](javascript:y)|")
    page = render_markdown(Checkup((finding,), (), (Count("candles", 1, 2, 3, "9" * 20),), 2))
    assert "1 problem left. 2 batches in landing wait" in page
    assert r"| WRONG | `a\|b'c` | odd name |" in page
    assert "| candles | 1 | 2 | 3 | 999999999999 |" in page
