from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.lake import sql
from tests.storage.fuzz import Fuzz

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("seed", [1])
def test_hostile_rows_end_in_the_store_in_quarantine_or_in_an_error(
    tmp_path: Path, seed: int
) -> None:
    fuzz = Fuzz(tmp_path, seed)
    fuzz.rows(2_000)
    fuzz.finish()
    print(dict(fuzz.came))
    assert fuzz.problems == []
    assert fuzz.came["rows inserted"] > 100
    assert fuzz.came["rows quarantined"] > 5
    assert fuzz.came["batch refused: GateRefused"] > 2
    assert fuzz.came["batch refused: ContractBroken"] > 0
    symbols = sql("select distinct symbol from candles", store=fuzz.store)["symbol"]
    assert all(symbol in {f"F{n}-USDT" for n in range(7)} for symbol in symbols)


@pytest.mark.parametrize("seed", [2])
def test_hostile_files_end_in_the_store_or_in_an_error(tmp_path: Path, seed: int) -> None:
    fuzz = Fuzz(tmp_path, seed)
    fuzz.files(150)
    fuzz.finish()
    print(dict(fuzz.came))
    assert fuzz.problems == []
    assert fuzz.came["file read"] > 3
    assert sum(count for what, count in fuzz.came.items() if "file refused" in what) > 30
