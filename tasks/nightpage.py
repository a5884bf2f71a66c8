"""What a night's report is made of, read back from the store that its claims point to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from core.clock import utc_now
from core.datasets import METRICS
from research.book import Book, book_of
from research.factory import power_of, shrunk
from serving.checks import NOT_ABOVE_LUCK
from serving.night import Luck, NightReport
from storage.lake import sql
from tasks.bars import research_candles
from tasks.breed import caught_by
from tasks.judge import judged
from tasks.nightly import Night, quality
from tasks.opinions import effective_trials

if TYPE_CHECKING:
    from storage.store import Store


def page_of(store: Store, night: Night, timings: dict[str, float]) -> NightReport:
    """Return the report of a night whose rows are in the store."""
    question, luck = night.question, luck_of(night)
    counted = _row(
        store,
        "select count(*) as trials, count(distinct strategy_id) as strategies from trials "
        "where night = $night",
        night=night.night,
    )
    candidates = _of_night(store, night, "select * from candidates where night = $night")
    ended = "select verdict, count(*) as trials from trials where night = $night group by verdict"
    chain = _of_night(store, night, "select chain from ledger where night = $night")
    return NightReport(
        night=night.night,
        as_of=question.as_of,
        started_at=night.started_at,
        finished_at=utc_now(),
        venue=question.venue,
        symbols=list(night.symbols),
        days=question.days,
        seed=question.seed,
        strategies=question.strategies,
        trials=counted["trials"],
        distinct=counted["strategies"],
        refused=caught_by(night).refused,
        min_trades=question.vetting.min_trades,
        costs=question.costs,
        luck=luck,
        candidates=_with_shrunk(candidates, luck.hurdle),
        promotions=_of_night(store, night, "select * from promotions where night = $night"),
        members=_members(store, night, candidates),
        ended=_of_night(store, night, ended),
        benchmark=_buy_and_hold(store, night),
        quality=_quality(store, night),
        gates=sql(
            "select * from verdicts where judged_at >= $start order by judged_at, verdict_id",
            {"start": night.started_at},
            store=store,
        ),
        book=_book(store, night),
        ledger=None if chain.is_empty() else chain.item(),
        timings=timings,
        manifest=night.manifest,
    )


def luck_of(night: Night) -> Luck:
    """Return what the null worlds of a night showed, and what that says of its power."""
    question, judgement = night.question, judged(night)
    terms = question.vetting
    mirrored = [world.score for world in judgement.mirrored]
    power = power_of(mirrored, question.days, terms.alpha)
    return Luck(
        alpha=terms.alpha,
        permutation_alpha=terms.permutation_alpha,
        mirrored=mirrored,
        permuted=[world.score for world in judgement.permuted],
        hurdle=_finite(power.hurdle),
        smallest=_finite(power.smallest),
        effective=effective_trials(judgement, question.days),
        alarm=judgement.alarm,
        stop_after=terms.stop_after,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _with_shrunk(candidates: pl.DataFrame, hurdle: float | None) -> pl.DataFrame:
    """Add what is left of the score of each candidate that mirrored luck did not explain."""
    left = [
        None if hurdle is None or verdict == NOT_ABOVE_LUCK else shrunk(score, hurdle, len(returns))
        for score, verdict, returns in candidates.select(
            "score", "verdict", "daily_returns"
        ).iter_rows()
    ]
    return candidates.with_columns(shrunk=pl.Series(left, dtype=pl.Float64))


def _members(store: Store, night: Night, candidates: pl.DataFrame) -> pl.DataFrame:
    """Return the backtests of the rules that candidates are made of."""
    names = candidates["members"].explode().drop_nulls().str.split(" ").list.first()
    return sql(
        f"select strategy_id, symbol, {', '.join(METRICS)} from backtests "  # noqa: S608 - our names
        "where night = $night and strategy_id = any($names) order by strategy_id, symbol",
        {"night": night.night, "names": names.unique().sort().to_list()},
        store=store,
    )


def _book(store: Store, night: Night) -> Book | None:
    """Return how paper trading went up to this night, None where nothing is on paper."""
    paper = sql(
        "select * from paper where venue = $venue and day < $end",
        {"end": night.question.as_of, "venue": night.question.venue},
        store=store,
    )
    return None if paper.is_empty() else book_of(paper)


def _buy_and_hold(store: Store, night: Night) -> pl.DataFrame:
    """Return the equity of buying each symbol at its first open, at the end of each UTC day."""
    question = night.question
    closes = research_candles(
        store,
        venue=question.venue,
        symbols=list(night.symbols),
        interval=question.interval,
        start=question.start,
        end=question.as_of,
        lenders=question.lenders,
    ).select("symbol", "open_time", "open", "close")
    days = closes.group_by(
        "symbol", pl.col("open_time").dt.date().alias("day"), maintain_order=True
    )
    first = closes.group_by("symbol").agg(pl.col("open").first())
    return (
        days.agg(pl.col("close").last())
        .join(first, on="symbol", how="left", maintain_order="left")
        .select("symbol", "day", equity=pl.col("close") / pl.col("open"))
    )


def _quality(store: Store, night: Night) -> pl.DataFrame:
    question = night.question
    counts = sql(
        "select symbol, count(*) as quarantined from quarantine where venue = $venue "
        "and open_time >= $start and open_time < $end group by symbol",
        {"venue": question.venue, "start": question.start, "end": question.as_of},
        store=store,
    )
    return (
        quality(store, question)
        .join(counts, on="symbol", how="left", maintain_order="left")
        .with_columns(pl.col("quarantined").fill_null(0))
    )


def _of_night(store: Store, night: Night, query: str) -> pl.DataFrame:
    return sql(query, {"night": night.night}, store=store)


def _row(store: Store, query: str, **values: Any) -> dict[str, Any]:
    return sql(query, values, store=store).row(0, named=True)
