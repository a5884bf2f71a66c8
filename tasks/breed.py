"""The night's search as a step: it sees the days before the holdout, and none of the holdout."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl
from prefect import task

from core.clock import EPOCH
from core.datasets import STRATEGIES, TIME
from core.errors import InvalidInput
from core.receipts import Receipt
from research.costs import Costs
from research.evolution.evaluator import MarketEvaluator, of_candles
from research.evolution.state import SMALLEST_ISLAND, State
from research.evolve import evolve
from research.metrics import sharpe
from research.vetting import held_out_days
from storage import stages
from storage.lake import read_candles
from storage.store import default_store
from tasks.nightly import BASE, Night, keep_stage
from tasks.progress import Progress
from tasks.steps import ONCE, log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from research.evolution.state import Evolution
    from storage.store import Store

CHECKPOINT = "search.msgpack"

# What the search leaves for the ledger: every strategy it scored on a symbol.
SEARCHED = {
    "strategy_id": pl.String(),
    "symbol": pl.String(),
    "text": pl.String(),
    "parents": pl.List(pl.String()),
    "operator": pl.String(),
    "generation": pl.Int64(),
    "first_day": TIME,
    "in_sample_sharpe": pl.Float64(),
    "daily_returns": pl.List(pl.Float64()),
}


@task(task_run_name="breed {night.question.strategies} strategies", **ONCE)
def breed(night: Night) -> tuple[Receipt, Receipt]:
    """Search for the night's strategies; return them, and all that the search ever scored.

    After every generation the search is on disk: a night that was cut off goes on from there, and
    ends as if it had not been.
    """
    store, question = default_store(), night.question
    evaluator = _evaluator(store, night)
    progress = Progress("search", key="search")
    rounds = question.generations + 1

    def after(state: State) -> None:
        stages.keep(store, night.night, CHECKPOINT, state.to_bytes())
        progress(state.generation + 1, rounds)

    found = evolve(
        evaluator,
        seed=night.luck,
        population=question.strategies,
        generations=question.generations,
        islands=islands(night.symbols, question.strategies),
        min_trades=question.vetting.min_trades,
        resume=_checkpoint(store, night),
        on_generation=after,
    )
    log.info(
        "bred %s strategies in %s generations out of %s trials",
        *(f"{len(found.population):,}", found.generations, f"{found.charges:,}"),
    )
    receipts = (
        keep_stage(night, STRATEGIES.name, _bred(night, found)),
        keep_stage(night, "searched", _searched(found, _first_day(store, night))),
    )
    stages.drop(store, night.night, CHECKPOINT)
    return receipts


def islands(symbols: Sequence[str], strategies: int) -> list[list[str]]:
    """Give every symbol an island of its own, or share them where strategies are too few."""
    count = max(1, min(len(symbols), strategies // SMALLEST_ISLAND))
    return [list(symbols[number::count]) for number in range(count)]


def _candles(store: Store, night: Night, symbols: Sequence[str]) -> pl.DataFrame:
    question = night.question
    return read_candles(
        store,
        venue=question.venue,
        symbols=symbols,
        interval=BASE,
        start=question.start,
        end=question.as_of,
    )


def _evaluator(store: Store, night: Night) -> MarketEvaluator:
    question = night.question
    candles = _candles(store, night, night.symbols)
    days = candles["open_time"].dt.date().n_unique()
    return of_candles(
        candles,
        Costs(**question.costs.model_dump()),
        held_out=held_out_days(days, question.vetting.holdout),
        workers=question.workers,
    )


def _first_day(store: Store, night: Night) -> int:
    """Return the first UTC day of the window's bars, in days since the epoch."""
    first = _candles(store, night, night.symbols[:1])["open_time"][0]
    return int((first - EPOCH) // timedelta(days=1))


def _checkpoint(store: Store, night: Night) -> State | None:
    """Return where an earlier run of this night got to, None where it cannot be gone on from."""
    data = stages.kept(store, night.night, CHECKPOINT)
    if data is None:
        return None
    try:
        state = State.from_bytes(data)
    except InvalidInput as error:
        log.warning("the search starts anew: %s", error)
        return None
    log.info("the search goes on after generation %s", state.generation)
    return state


def _bred(night: Night, found: Evolution) -> pl.DataFrame:
    as_of, population = night.question.as_of, found.population
    columns = ("text", "timeframe", "side", "conditions")
    frame = pl.DataFrame(
        {"strategy_id": [one.id for one in population]}
        | {name: [getattr(one, name) for one in population] for name in columns},
        schema_overrides={"conditions": pl.Int64()},
    ).with_columns(
        night=pl.lit(night.night),
        created_at=pl.lit(as_of, TIME),
        deleted_at=pl.lit(None, TIME),
        source=pl.lit("evolve"),
        ingested_at=pl.lit(as_of, TIME),
    )
    return STRATEGIES.conform(frame)


def _searched(found: Evolution, first_day: int) -> pl.DataFrame:
    opened = EPOCH + timedelta(days=first_day)
    rows = [
        {
            "strategy_id": one.strategy_id,
            "symbol": symbol,
            "text": one.text,
            # One that was carried to another island is its own parent there.
            "parents": [parent for parent in one.parents if parent != one.strategy_id],
            "operator": one.operator,
            "generation": one.generation,
            "first_day": opened,
            "in_sample_sharpe": sharpe(returns),
            "daily_returns": returns.tolist(),
        }
        for one in found.trials
        for symbol, returns in zip(one.symbols, one.daily_returns, strict=True)
    ]
    return pl.DataFrame(rows, schema=SEARCHED).unique(
        ["strategy_id", "symbol"], keep="first", maintain_order=True
    )
