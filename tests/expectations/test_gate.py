"""The gate itself: what it refuses, what a verdict says, threads, a cheap import."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.datasets import CANDLES, DATASETS, VERDICTS
from core.errors import GateRefused, InvalidInput
from expectations import engine
from expectations.gate import gate
from expectations.rules import Rule, between
from expectations.suites import SUITES
from tests.conftest import ROOT
from tests.expectations.rows import NOW, bar, bars, frame

if TYPE_CHECKING:
    from expectations.verdict import Verdict


def with_broken(sound: int, broken: int) -> pl.DataFrame:
    """Return bars of which the last `broken` have a negative volume."""
    rows = [bar(minute) for minute in range(sound)]
    return frame(CANDLES, rows + [bar(sound + at, volume=-1.0) for at in range(broken)])


def test_exactly_a_tenth_in_quarantine_is_accepted() -> None:
    verdict = gate("candles", with_broken(90, 10), now=NOW)
    assert verdict.passed
    assert verdict.reason is None
    assert verdict.share == 0.1
    assert (verdict.accepted.height, verdict.quarantined.height) == (90, 10)
    assert verdict.require() is verdict


def test_more_than_a_tenth_in_quarantine_refuses_the_batch() -> None:
    verdict = gate("candles", with_broken(89, 10), now=NOW, name="landing/x.parquet")
    assert not verdict.passed
    assert verdict.accepted.is_empty()
    assert verdict.accepted.schema == CANDLES.schema
    assert verdict.quarantined.height == 10
    assert verdict.reason == (
        "10 of 99 rows are quarantined (10.10%, at most 10% may be): negative_volume 10"
    )
    with pytest.raises(GateRefused, match="negative_volume 10") as refused:
        verdict.require()
    assert (refused.value.rows, refused.value.quarantined) == (99, 10)


def test_a_row_with_two_reasons_counts_once_towards_the_tenth() -> None:
    rows = [bar(minute) for minute in range(9)] + [bar(9, volume=-1.0, trades=-1)]
    assert gate("candles", frame(CANDLES, rows), now=NOW).passed


def test_a_batch_of_no_rows_passes() -> None:
    for dataset in SUITES:
        verdict = gate(dataset, DATASETS[dataset].empty(), now=NOW)
        assert verdict.passed
        assert (verdict.rows, verdict.share) == (0, 0.0)
        assert verdict.accepted.schema == DATASETS[dataset].schema
        assert verdict.quarantined.schema["reasons"] == pl.List(pl.String())


WRONG = {
    "a column is missing": lambda batch: batch.drop("close"),
    "a column is not known": lambda batch: batch.with_columns(vwap=1.0),
    "a price is text": lambda batch: batch.with_columns(pl.col("close").cast(pl.String)),
    "a time has no zone": lambda batch: batch.with_columns(
        pl.col("open_time").dt.replace_time_zone(None)
    ),
    "a time has milliseconds": lambda batch: batch.with_columns(
        pl.col("open_time").dt.cast_time_unit("ms")
    ),
    "nothing is right": lambda _: pl.DataFrame({"x": [1]}),
    "there is nothing": lambda _: pl.DataFrame(),
}


@pytest.mark.parametrize("what", WRONG)
def test_columns_that_are_not_the_contracts_are_a_verdict_and_no_error(what: str) -> None:
    batch = WRONG[what](bars([100.0] * 5))
    verdict = gate("candles", batch, now=NOW, name="landing/x.parquet")
    assert not verdict.passed
    assert verdict.reason
    assert verdict.rows == batch.height
    assert verdict.accepted.is_empty()
    assert verdict.quarantined.is_empty()
    assert verdict.quarantined.columns == [*CANDLES.columns, "reasons"]
    assert verdict.result is None
    assert verdict.as_row(NOW)["reasons"] == "{}"
    with pytest.raises(GateRefused):
        verdict.require()


def test_columns_in_another_order_are_put_in_order() -> None:
    batch = bars([100.0] * 5)
    verdict = gate("candles", batch.select(reversed(batch.columns)), now=NOW)
    assert verdict.accepted.equals(batch)


def test_a_history_without_the_columns_that_are_read_is_named() -> None:
    verdict = gate("candles", bars([100.0]), history=bars([100.0]).drop("volume"), now=NOW)
    assert not verdict.passed
    assert "volume" in str(verdict.reason)


@pytest.mark.parametrize("dataset", ["verdicts", "revisions", "candle", ""])
def test_a_dataset_without_a_suite_cannot_be_gated(dataset: str) -> None:
    with pytest.raises(InvalidInput, match=f"one of .*candles.*was '{dataset}'"):
        gate(dataset, CANDLES.empty(), now=NOW)


def test_the_number_of_rows_is_a_rule_where_the_caller_knows_it() -> None:
    batch, held = bars([100.0] * 5, first=3), bars([100.0] * 3)
    assert gate("candles", batch, now=NOW, expected_rows=5).passed
    assert gate("candles", batch, held=held, now=NOW, expected_rows=5).passed
    verdict = gate("candles", batch, now=NOW, expected_rows=6)
    assert not verdict.passed
    assert verdict.accepted.is_empty()
    assert verdict.reason == "row_count: expected 6, was 5"


def test_a_verdict_is_a_row_of_its_dataset() -> None:
    verdict = gate("candles", with_broken(95, 5), now=NOW, name="landing/x.parquet")
    later = NOW + timedelta(hours=1)
    row = verdict.as_row(later)
    stored = pl.DataFrame([row], schema=VERDICTS.schema)
    assert VERDICTS.conform(stored).height == 1
    assert stored["judged_at"].item() == NOW
    assert stored["ingested_at"].item() == later
    assert (row["rows"], row["accepted"], row["quarantined"]) == (100, 95, 5)
    assert json.loads(row["reasons"]) == {"negative_volume": 5}
    again = gate("candles", with_broken(95, 5), now=NOW, name="landing/x.parquet")
    assert again.verdict_id == verdict.verdict_id
    other = gate("candles", with_broken(95, 5), now=NOW, name="landing/y.parquet")
    assert other.verdict_id != verdict.verdict_id


def test_a_verdict_tells_a_person_what_happened() -> None:
    text = gate("candles", with_broken(80, 20), now=NOW, name="a|b\n<script>`").markdown()
    assert "### Gate `candles`: refused" in text
    assert "| `negative_volume` | 20 |" in text
    assert "20.00%" in text
    assert "<script>" not in text
    assert "a\\|b" in text


def test_the_result_of_great_expectations_is_kept() -> None:
    verdict = gate("candles", with_broken(95, 5), now=NOW)
    outcomes = [(x.expectation_config.meta["code"], x.success) for x in verdict.result.results]
    assert {code for code, _ in outcomes} == set(SUITES["candles"].codes)
    assert [code for code, met in outcomes if not met] == ["negative_volume"]
    assert not verdict.result.success
    assert verdict.result.statistics["unsuccessful_expectations"] == 1
    assert json.loads(json.dumps(verdict.result.to_json_dict()))["suite_name"] == "candles"


def test_a_rule_that_cannot_be_judged_refuses_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    text = between("symbol", "symbol_as_number", 0, severity="warning")
    monkeypatch.setitem(SUITES, "candles", replace(SUITES["candles"], rules=(text,)))
    verdict = gate("candles", bars([100.0] * 5), now=NOW)
    assert not verdict.passed
    assert str(verdict.reason).startswith("symbol_as_number could not be judged: ")
    assert verdict.accepted.is_empty()


def test_a_batch_rule_that_only_warns_does_not_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Rule("few_rows", "ExpectTableRowCountToEqual", {"value": 9}, "9 rows", "warning", "batch")
    monkeypatch.setitem(SUITES, "candles", replace(SUITES["candles"], rules=(few,)))
    verdict = gate("candles", bars([100.0] * 5), now=NOW)
    assert verdict.passed
    assert verdict.warnings == {"few_rows": 1}


def test_a_suite_is_a_suite_of_great_expectations() -> None:
    import great_expectations as gx

    for name, suite in SUITES.items():
        made = engine.gx_suite(name, suite.all_rules)
        assert len(made.expectations) == len(suite.all_rules)
        again = gx.ExpectationSuite(name, expectations=made.to_json_dict()["expectations"])
        assert {e.meta["code"] for e in again.expectations} == set(suite.codes)


def test_gates_in_threads_do_not_mix_their_verdicts() -> None:
    def judge(number: int) -> tuple[int, Verdict]:
        return number, gate("candles", with_broken(90 + number, number), now=NOW, name=str(number))

    with ThreadPoolExecutor(8) as pool:
        for number, verdict in pool.map(judge, range(8)):
            assert verdict.batch == str(number)
            assert verdict.reasons == ({"negative_volume": number} if number else {})
            assert verdict.accepted.height == 90 + number


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout + done.stderr


def test_importing_the_gate_does_not_import_great_expectations() -> None:
    code = """
import sys
import expectations.gate, expectations.data_docs, expectations.suites
print([name for name in ("great_expectations", "pandas") if name in sys.modules])
"""
    assert run_python(code).strip() == "[]"


def test_the_gate_says_nothing_by_itself() -> None:
    code = """
import logging
logging.basicConfig(level=logging.INFO)
from expectations.gate import gate
from tests.expectations.rows import NOW, bars
assert gate("candles", bars([100.0] * 5), now=NOW).passed
"""
    assert run_python(code) == ""


def test_every_suite_reads_only_columns_that_it_has() -> None:
    for suite in SUITES.values():
        known: set[str] = {*suite.dataset.columns, "missing", "not_finite", "bad_names"}
        empty: Any = suite.dataset.empty().with_columns(held=pl.lit(value=False))
        empty = empty.with_row_index("row")
        known |= set(suite.facts(empty, NOW).columns)
        history = pl.DataFrame(schema={n: suite.dataset.columns[n] for n in suite.remembers})
        known |= {*suite.neighbour_facts(empty, history).columns, "copies_before"}
        assert {column for rule in suite.all_rules for column in rule.columns} <= known
