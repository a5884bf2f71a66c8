"""A whole night, small: collected, bred, backtested, vetted, saved, reported."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from core.errors import NothingStored
from flows.nightly import nightly
from storage import hot, ledger, stages
from storage.lake import sql
from storage.store import Store, default_store
from tasks.breed import CAUGHT, CHECKPOINT
from tasks.judge import JUDGED

if TYPE_CHECKING:
    from tasks.report import NightSummary

AS_OF = datetime(2026, 3, 11, tzinfo=UTC)
SYMBOLS = ["NOISE1-USDT", "TREND1-USDT"]
SMALL = {"as_of": AS_OF, "symbols": SYMBOLS, "days": 10, "strategies": 20}
TABLES = ("strategies", "backtests", "trials", "candidates", "promotions")


def tables() -> dict[str, pl.DataFrame]:
    return {
        name: sql(f"select * from {name}").sort(
            pl.all().exclude(pl.List(pl.Float64), pl.List(pl.String))
        )
        for name in TABLES
    }


SEARCH = {
    "NIGHTJAR_GENERATIONS": "3",
    "NIGHTJAR_WORKERS": "1",
    "NIGHTJAR_VETTING__ALPHA": "0.05",
    "NIGHTJAR_VETTING__WORLDS": "19",
    "NIGHTJAR_VETTING__STOP_AFTER": "3",
    "NIGHTJAR_VETTING__MIN_TRADES": "3",
}


@pytest.fixture(autouse=True)
def _short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SEARCH.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, prefect: None, exchange: str
) -> tuple[Path, NightSummary]:
    """Run one night to its end; return its home, which nobody changes, and what it came to."""
    home = tmp_path_factory.mktemp("night") / "home"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SEARCH.items():
            patch.setenv(name, value)
        patch.setenv("NIGHTJAR_HOME", str(home))
        patch.setenv("NIGHTJAR_SANDBOX_URL", exchange)
        return home, nightly(**SMALL)


@pytest.fixture
def morning(done: tuple[Path, NightSummary], desk: Path) -> NightSummary:
    """Return what the night came to, its home copied to be this test's own."""
    home, summary = done
    shutil.copytree(home, desk)
    return summary


def test_a_night_ends_with_every_trial_in_the_store_and_a_page(
    morning: NightSummary, desk: Path
) -> None:
    summary = morning
    page = Path(summary.report).read_text()
    assert summary.headline in page
    assert "sandbox" in page
    assert sql("select count(*) as n from strategies").item() == summary.strategies == 20
    assert sql("select count(*) as n from backtests").item() == 40
    ledger = sql("select *, len(daily_returns) as days from trials")
    assert ledger.height == summary.trials > 40
    assert ledger["days"].unique().to_list() == [10]
    assert set(ledger["symbol"]) == {*SYMBOLS, "*"}
    assert ledger["text"].null_count() == 0
    assert ledger["parents"].list.len().max() > 0
    searched = ledger.filter(pl.col("verdict") != "other_market")
    assert searched["score"].null_count() == 0
    assert searched.height == 20 * 4, "a generation of 20, and three more"
    night = sql("select * from nights").row(0, named=True)
    assert (night["trials"], night["symbols"]) == (summary.trials, SYMBOLS)
    assert (desk / night["report"]).is_file()


def test_every_candidate_has_its_odds_and_a_verdict(morning: NightSummary) -> None:
    found = sql("select * from candidates order by rank")
    assert found["rank"].to_list() == list(range(1, found.height + 1))
    assert found["score"].is_sorted(descending=True)
    assert found["p_value"].is_sorted()
    assert found["p_value"].is_between(1 / 20, 1.0).all()
    assert {"rule", "pooled"} <= set(found["kind"])
    luckless = found["p_value"] > 0.05
    assert (found.filter(luckless)["verdict"] == "not_above_luck").all()
    rules = found.filter(pl.col("kind") != "portfolio").join(
        sql("select strategy_id as candidate_id, symbol, sharpe, score, verdict from trials"),
        on=["candidate_id", "symbol"],
        suffix="_ledger",
    )
    assert rules.height == found.filter(pl.col("kind") != "portfolio").height
    for name in ("sharpe", "score", "verdict"):
        assert rules[name].to_list() == rules[f"{name}_ledger"].to_list()


def test_a_night_may_stand_on_longer_bars(desk: Path) -> None:
    summary = nightly(**SMALL | {"strategies": 12}, interval="15m")
    frames = sql("select distinct timeframe from strategies")["timeframe"].to_list()
    assert set(frames) <= {"15m", "30m", "1h", "2h", "4h"}
    assert sql('select distinct "interval" as i from candles')["i"].to_list() == ["15m"]
    assert sql("select sum(bars) as n from coverage").item() == 2 * 10 * 96
    assert summary.trials > 20


def test_the_same_night_again_changes_nothing(morning: NightSummary) -> None:
    before = tables()
    second = nightly(**SMALL)
    assert second.night == morning.night
    same = {name: frame.equals(before[name]) for name, frame in tables().items()}
    assert same == dict.fromkeys(TABLES, True)
    assert sql("select count(*) as n from revisions where dataset <> 'nights'").item() == 0


def test_a_night_cut_off_in_its_search_ends_as_if_it_had_not_been(
    done: tuple[Path, NightSummary], desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, kept = stages.keep, []
    names: list[str] = []

    def cut_off(store: Store, night: str, name: str, data: bytes) -> None:
        keep(store, night, name, data)
        kept.append(night)
        names.append(name)
        if len(kept) == 2:
            raise RuntimeError("the power is gone")

    monkeypatch.setattr(stages, "keep", cut_off)
    with pytest.raises(RuntimeError, match="power"):
        nightly(**SMALL)
    assert stages.kept(default_store(), kept[0], CHECKPOINT) is not None
    went_on = nightly(**SMALL)
    assert stages.kept(default_store(), kept[0], CHECKPOINT) is None
    assert names.count(CHECKPOINT) == 4, "the first two generations were not bred again"
    assert names.count(CAUGHT) == names.count(JUDGED) == 1
    after = tables()

    whole, summary = done
    monkeypatch.setenv("NIGHTJAR_HOME", str(whole))
    assert summary.night == went_on.night
    same = {name: frame.equals(after[name]) for name, frame in tables().items()}
    assert same == dict.fromkeys(TABLES, True)


TINY = {"as_of": AS_OF, "symbols": SYMBOLS[:1], "days": 4, "strategies": 8, "seed": 3}


def _cut(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, at: str) -> None:
    """Let the power go right after a step has kept `at`, the first time that it does."""
    step = getattr(where, name)

    def last(*args: Any, **kwargs: Any) -> Any:
        done = step(*args, **kwargs)
        if at in map(str, args):
            monkeypatch.setattr(where, name, step)
            raise RuntimeError("the power is gone")
        return done

    monkeypatch.setattr(where, name, last)


def test_a_night_killed_at_any_stage_ends_as_if_it_had_not_been(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTJAR_GENERATIONS", "1")
    monkeypatch.setenv("NIGHTJAR_VETTING__ALPHA", "0.25")
    monkeypatch.setenv("NIGHTJAR_VETTING__WORLDS", "4")
    name = nightly(**TINY).night
    whole, head = tables(), ledger.contents(default_store())
    for where, step, at in (
        (stages, "keep", "mirrored.msgpack"),
        (hot, "put", "candidates"),
        (ledger, "append", name),
    ):
        monkeypatch.setenv("NIGHTJAR_HOME", str(desk.with_name(f"cut-{step}-{at}")))
        _cut(monkeypatch, where, step, at)
        with pytest.raises(RuntimeError, match="power"):
            nightly(**TINY)
        assert nightly(**TINY).night == name
        same = {table: frame.equals(whole[table]) for table, frame in tables().items()}
        assert same == dict.fromkeys(TABLES, True), at
        assert ledger.verify(default_store()) == []
        assert ledger.contents(default_store())["chain"].to_list() == head["chain"].to_list()


def test_another_seed_is_another_night_with_other_strategies(morning: NightSummary) -> None:
    second = nightly(**SMALL, seed=2)
    assert second.night != morning.night
    bred = sql("select night, strategy_id from backtests").unique().partition_by("night")
    assert not set(bred[0]["strategy_id"]) & set(bred[1]["strategy_id"])


def test_a_night_without_data_says_how_to_get_some(desk: Path) -> None:
    with pytest.raises(NothingStored, match="nightjar ingest"):
        nightly(as_of=AS_OF, venue="elsewhere", symbols=["BTC-USDT"], days=10, strategies=5)
