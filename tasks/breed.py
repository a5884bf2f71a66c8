"""The night's hunt as a step: every strategy is proven before it is scored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
import polars as pl
from prefect import task

from core.datasets import STRATEGIES, TIME
from core.errors import InvalidInput
from core.receipts import Receipt
from research.costs import Costs
from research.evolution.evaluator import of_candles
from research.evolution.state import State
from research.hunt import POOL, Candidate, Procedure, hunt
from research.metrics import sharpe
from research.proven import Proven
from storage import stages
from storage.store import default_store
from tasks.nightly import Night, keep_stage, night_candles
from tasks.progress import Progress
from tasks.steps import ONCE, log

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import datetime

    from research.evolution.state import Evolution, Trial
    from storage.store import Store

CHECKPOINT = "search.msgpack"
CAUGHT = "caught.msgpack"

# What the search leaves for the ledger: every strategy it scored, on a symbol or on all.
SEARCHED = {
    "strategy_id": pl.String(),
    "symbol": pl.String(),
    "text": pl.String(),
    "parents": pl.List(pl.String()),
    "operator": pl.String(),
    "generation": pl.Int64(),
    "trades": pl.Int64(),
    "first_day": TIME,
    "score": pl.Float64(),
    "sharpe": pl.Float64(),
    "kept": pl.Boolean(),
    "proven": pl.Boolean(),
    "daily_returns": pl.List(pl.Float64()),
    "detrended": pl.List(pl.Float64()),
}


class Caught(msgspec.Struct, frozen=True):
    """What the hunt brought home, for the next steps.

    `evaluations` counts how often a strategy was scored on an island, `days` the days of the
    window, `refused` the strategies that could not be proven.
    """

    candidates: tuple[Candidate, ...]
    evaluations: int
    days: int
    refused: int


def procedure_of(night: Night) -> Procedure:
    """Return what is done in every world of a night."""
    question = night.question
    return Procedure(
        strategies=question.strategies,
        generations=question.generations,
        min_trades=question.vetting.min_trades,
        max_correlation=question.vetting.max_correlation,
        interval=question.interval,
    )


@task(task_run_name="breed {night.question.strategies} strategies", **ONCE)
def breed(night: Night) -> tuple[Receipt, Receipt]:
    """Hunt in the real world; return the final population, and all that was ever scored.

    After every generation the search is on disk: a night that was cut off goes on from there, and
    ends as if it had not been.
    """
    store, question = default_store(), night.question
    candles = night_candles(store, night)
    score = of_candles(candles, Costs(**question.costs.model_dump()), workers=question.workers)
    proven = Proven(score, seed=night.luck)
    progress = Progress("search", key="search")
    rounds = question.generations + 1

    def after(state: State) -> None:
        stages.keep(store, night.night, CHECKPOINT, state.to_bytes())
        progress(state.generation + 1, rounds)

    catch = hunt(
        proven,
        night.symbols,
        procedure_of(night),
        seed=night.luck,
        resume=_checkpoint(store, night),
        on_generation=after,
    )
    found = catch.evolution
    log.info(
        "bred %s strategies in %s generations out of %s trials",
        *(f"{len(found.population):,}", found.generations, f"{found.evaluations:,}"),
    )
    _warn_of_leaks(proven)
    searched = _searched(found, _first_day(candles), proven.refused)
    days = searched["daily_returns"].list.len()[0]
    caught = Caught(catch.candidates, found.evaluations, days, len(proven.refused))
    stages.keep(store, night.night, CAUGHT, msgspec.msgpack.encode(caught))
    receipts = (
        keep_stage(night, STRATEGIES.name, _bred(night, found)),
        keep_stage(night, "searched", searched),
    )
    stages.drop(store, night.night, CHECKPOINT)
    return receipts


def caught_by(night: Night) -> Caught:
    """Return what `breed` caught.

    Raises:
        InvalidInput: It has not run for this night.
    """
    data = stages.kept(default_store(), night.night, CAUGHT)
    if data is None:
        raise InvalidInput(f"expected night {night.night} to have bred, was before that")
    return msgspec.msgpack.decode(data, type=Caught)


def _first_day(candles: pl.DataFrame) -> datetime:
    return cast("datetime", candles["open_time"].dt.truncate("1d").min())


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


def _warn_of_leaks(proven: Proven) -> None:
    if proven.refused:
        reasons = ", ".join(f"{count} {kind}" for kind, count in proven.reasons().items())
        log.warning(
            "left out %s strategies that the look-ahead proof did not pass: %s (docs/lookahead.md)",
            f"{len(proven.refused):,}",
            reasons,
        )


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


def _searched(found: Evolution, first_day: datetime, refused: Container[str]) -> pl.DataFrame:
    kept = {(one.strategy_id, one.island) for one in found.members}
    rows = [_row(one, first_day, kept, refused) for one in found.trials]
    return pl.DataFrame(rows, schema=SEARCHED).unique(
        ["strategy_id", "symbol"], keep="first", maintain_order=True
    )


def _row(
    one: Trial, first_day: datetime, kept: set[tuple[str, str]], refused: Container[str]
) -> dict[str, Any]:
    returns = one.daily_returns.mean(axis=0)
    return {
        "strategy_id": one.strategy_id,
        "symbol": one.symbols[0] if len(one.symbols) == 1 else POOL,
        "text": one.text,
        # One that was carried to another island is its own parent there.
        "parents": [parent for parent in one.parents if parent != one.strategy_id],
        "operator": one.operator,
        "generation": one.generation,
        "trades": sum(one.trades),
        "first_day": first_day,
        "score": one.sharpe,
        "sharpe": sharpe(returns),
        "kept": (one.strategy_id, one.island) in kept,
        "proven": one.strategy_id not in refused,
        "daily_returns": returns.tolist(),
        "detrended": one.daily_detrended.tolist(),
    }
