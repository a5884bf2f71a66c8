"""A night: what it is asked, which data answers it, and how its steps keep what they made."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
from prefect import task

from core.clock import floor_to, format_utc, utc_now
from core.datasets import STRATEGIES
from core.errors import NothingStored
from core.market import interval_step
from core.receipts import Receipt
from core.settings import CostSettings, VettingSettings, load
from core.version import code_version, lock_version
from storage import hot, stages
from storage.lake import sql
from storage.store import Store, default_store
from tasks.bars import research_candles, snapshot
from tasks.questions import SANDBOX
from tasks.steps import ONCE, PATIENT, log

if TYPE_CHECKING:
    from tasks.tally import Summary

MADE_BY = "nightjar"
# A series with more holes than this is not a market that a rule could have been traded on.
MOST_MISSING = 0.05


class Question(msgspec.Struct, frozen=True):
    """What a night is asked, with every default filled in."""

    as_of: datetime
    venue: str
    symbols: tuple[str, ...]  # empty: all that the store holds of the venue
    interval: str  # of the bars, the finest that there are
    days: int
    strategies: int
    generations: int
    seed: int
    costs: CostSettings
    vetting: VettingSettings
    workers: int
    dask: str | None = None
    lenders: tuple[str, ...] = ()  # venues whose bars stand in where this one lacks them

    @property
    def start(self) -> datetime:
        """The first moment of the window."""
        return self.as_of - timedelta(days=self.days)


class Answer(msgspec.Struct, frozen=True):
    """What the stages of a night made, each of which the store has a table for."""

    strategies: Receipt
    backtests: Receipt
    trials: Receipt
    candidates: Receipt
    promotions: Receipt


class Night(msgspec.Struct, frozen=True):
    """A question pinned to the data that answers it; equal manifests mean equal results."""

    night: str
    question: Question
    symbols: tuple[str, ...]
    manifest: dict[str, Any]
    started_at: datetime

    @property
    def luck(self) -> int:
        """The seed of everything random: another one each night, the same for the same night."""
        text = f"{self.question.seed} {format_utc(self.question.as_of)}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


def ask(
    *,
    as_of: datetime | None,
    venue: str | None,
    symbols: list[str] | None,
    strategies: int | None,
    days: int | None,
    seed: int | None,
    interval: str | None = None,
) -> Question:
    """Fill what nobody said from the settings; `as_of` ends at a whole minute."""
    settings = load()
    return Question(
        as_of=floor_to(as_of or utc_now(), timedelta(minutes=1)),
        venue=venue or settings.venue,
        symbols=tuple(symbols or settings.symbols or _stored(venue or settings.venue)),
        interval=interval or settings.interval,
        days=days or settings.days,
        strategies=strategies or settings.strategies,
        generations=settings.generations,
        seed=settings.seed if seed is None else seed,
        costs=settings.costs,
        vetting=settings.vetting,
        workers=settings.workers,
        dask=settings.dask,
        lenders=settings.repair_venues if settings.borrow else (),
    )


def _stored(venue: str) -> list[str]:
    """Return what the store holds of a real venue; the sandbox is asked what it trades."""
    if venue == SANDBOX:
        return []
    query = "select distinct symbol from candles where venue = $venue order by symbol"
    return sql(query, {"venue": venue}, store=default_store())["symbol"].to_list()


def note_missing(summary: Summary) -> None:
    """Say what the refresh could not get; whether the rest is enough is decided by `pin`."""
    for missing in (*summary.failed, *summary.refused):
        log.warning("going on without %s", missing)


@task(task_run_name="pin the data", **ONCE)
def pin(question: Question, started_at: datetime) -> Night:
    """Find the markets that are fit to search, and name the night after all that decides it.

    Raises:
        NothingStored: no series of the venue covers the window.
    """
    store = default_store()
    symbols = _fit(store, question)
    manifest = {
        "as_of": format_utc(question.as_of),
        "venue": question.venue,
        "symbols": symbols,
        "interval": question.interval,
        "days": question.days,
        "strategies": question.strategies,
        "generations": question.generations,
        "seed": question.seed,
        "costs": question.costs.model_dump(),
        "vetting": question.vetting.model_dump(),
        "paper": load().paper.model_dump(),
        "code": code_version(),
        "lock": lock_version(),
        "data": snapshot(
            store,
            venue=question.venue,
            symbols=symbols,
            interval=question.interval,
            start=question.start,
            end=question.as_of,
            lenders=question.lenders,
        ),
    }
    if question.lenders:
        manifest["lenders"] = list(question.lenders)
    digest = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    night = f"{question.as_of:%Y-%m-%dT%H%M}-{digest[:8]}"
    log.info("night %s: %s of %s", night, ", ".join(symbols), question.venue)
    return Night(night, question, tuple(symbols), manifest, started_at)


def _fit(store: Store, question: Question) -> list[str]:
    """Return the symbols whose series are whole, and cover the same days as the longest."""
    found = quality(store, question).filter(pl.col("bars") > 0)
    first, last = pl.col("first").dt.date(), pl.col("last").dt.date()
    short = (first != first.min()) | (last != last.max())
    holed = pl.col("missing") > MOST_MISSING * pl.col("expected")
    for row in found.filter(short | holed).to_dicts():
        log.warning(
            "%s is left out: its bars from %s to %s lack %s of %s, or are not of the same days "
            "as the others'",
            *(row["symbol"], format_utc(row["first"]), format_utc(row["last"])),
            *(f"{row['missing']:,}", f"{row['expected']:,}"),
        )
    fit = found.filter(~(short | holed))["symbol"].sort().to_list()
    if not fit:
        raise NothingStored(
            f"no series of {question.venue} is complete enough from {format_utc(question.start)} "
            f"to {format_utc(question.as_of)}; `nightjar ingest --source {question.venue}` "
            "collects one, `nightjar status` shows what is there"
        )
    return fit


def quality(store: Store, question: Question) -> pl.DataFrame:
    """Return how complete each series is in the night's window, from its first bar in it.

    Bars that other venues lend count as there.

    Columns: symbol, bars, expected, missing, first, last.
    """
    found = sql(
        "select symbol, count(distinct open_time) as bars, min(open_time) as first, "
        "max(open_time) as last "
        'from candles where venue = any($venues) and "interval" = $interval '
        "and open_time >= $start and open_time < $end "
        "group by symbol having bool_or(venue = $venue) order by symbol",
        {
            "venue": question.venue,
            "venues": [question.venue, *question.lenders],
            "interval": question.interval,
            "start": question.start,
            "end": question.as_of,
        },
        store=store,
    )
    wanted = found.filter(pl.col("symbol").is_in(question.symbols)) if question.symbols else found
    step = interval_step(question.interval)
    expected = ((pl.lit(question.as_of) - pl.col("first")) / step).cast(pl.Int64)
    return wanted.with_columns(expected=expected).with_columns(
        missing=pl.col("expected") - pl.col("bars")
    )


@task(task_run_name="save {receipt.dataset}", **PATIENT)
def save(receipt: Receipt) -> int:
    """Put what a stage made into the store; return how many rows were new.

    A strategy that an earlier night bred keeps that night's name.
    """
    store, now = default_store(), utc_now()
    frame = stages.read(store, receipt)
    if receipt.dataset == STRATEGIES.name:
        known = sql("select strategy_id from strategies", store=store)
        frame = frame.join(known, on="strategy_id", how="anti", maintain_order="left")
    return hot.put(store, receipt.dataset, frame, now=now).inserted


def keep_stage(night: Night, stage: str, frame: pl.DataFrame) -> Receipt:
    """Leave what a stage made on disk for the next one."""
    return stages.write(default_store(), night.night, stage, frame)


def night_candles(store: Store, night: Night) -> pl.DataFrame:
    """Return the finest bars of all the night's symbols over its window."""
    question = night.question
    return research_candles(
        store,
        venue=question.venue,
        symbols=night.symbols,
        interval=question.interval,
        start=question.start,
        end=question.as_of,
        lenders=question.lenders,
    )
