"""Paper trading as a step of the night: the days that came since, of all that is followed."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
from prefect import task
from prefect.artifacts import create_markdown_artifact

from core.clock import utc_now
from core.datasets import PAPER, TIME
from core.errors import InvalidInput
from core.receipts import Receipt
from research.book import PROMOTED, book_of
from research.costs import Costs
from research.forward import Days, Traded, combined, traded
from research.paper import RUNNING, standings
from serving.book import book_markdown
from serving.deskpage import headline, publish
from storage.lake import sql
from storage.store import Store, default_store
from tasks.bars import research_candles
from tasks.cohorts import DAY, Followed, followed, newcomers, promotions, unchanged
from tasks.gates import gate_stage
from tasks.nightly import MADE_BY, Night, keep_stage, save
from tasks.steps import PATIENT, log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from research.strategy import Strategy

Name = tuple[str, str, str, str]
# First bar, first day, costs and interval: what can be run at once.
Start = tuple[datetime, date, Costs, str]
EMPTY = Days(np.empty(0), np.empty(0, np.int64))


@task(task_run_name="follow paper", **PATIENT)
def follow_paper(night: Night) -> Receipt:
    """Open what tonight promoted, and add the days that are over to all that is on paper.

    To be called when the night's trials, candidates and promotions are saved. Running it again
    adds nothing twice, and catches up what a night that was cut off left out.
    """
    store = default_store()
    receipt = keep_stage(night, PAPER.name, paper_days(store, night))
    gate_stage.fn(receipt)
    save.fn(receipt)
    venue = night.question.venue
    book = book_of(sql("from paper where venue = $venue", {"venue": venue}, store=store))
    create_markdown_artifact(book_markdown(book), key="desk", description=headline(book))
    publish(book, store, venue=venue, made_at=utc_now())
    return receipt


def paper_days(store: Store, night: Night) -> pl.DataFrame:
    """Return the rows of `paper` that this night adds."""
    known, promoted = followed(store, night.question.venue), list(promotions(store, night))
    new = newcomers(store, night, known, promoted)
    running = [one for one in unchanged([*known, *new], promoted) if not one.over]
    days = _days(store, night, running)
    rows = [_opening(one) for one in new]
    for one in running:
        rows += _added(one, days.get(one.name, EMPTY))
    log.info("paper: %s followed, %s days added", len(running), len(rows) - len(new))
    frame = pl.DataFrame(rows, schema_overrides={n: PAPER.columns[n] for n in ("day", "plan")})
    if frame.is_empty():
        return PAPER.empty()
    return PAPER.conform(
        frame.with_columns(
            venue=pl.lit(night.question.venue),
            paper_night=pl.lit(night.night),
            source=pl.lit(MADE_BY),
            ingested_at=pl.lit(utc_now(), TIME),
        )
    )


def _opening(one: Followed) -> dict[str, Any]:
    plan = msgspec.json.encode(one.frozen).decode()
    return _row(one, one.opening) | {"plan": plan}


def _row(one: Followed, day: date) -> dict[str, Any]:
    return {
        "night": one.night,
        "strategy_id": one.strategy_id,
        "symbol": one.symbol,
        "cohort": one.cohort,
        "day": datetime.combine(day, time.min, UTC),
        "return": 0.0,
        "equity": one.equity,
        "bars": 0,
        "status": RUNNING,
        "plan": None,
    }


def _added(one: Followed, days: Days) -> Iterator[dict[str, Any]]:
    """Yield the rows of the days that are not stored yet, up to the plan's end."""
    plan, had = one.frozen.plan, len(one.returns)
    fresh = days.returns[had : plan.horizon_days]
    statuses = [RUNNING, *standings(plan, np.array([*one.returns, *fresh]))]
    equity = np.cumprod([one.equity, *(1.0 + fresh)])[1:]
    for at, (before, status) in enumerate(pairwise(statuses[had:])):
        yield _row(one, one.first + DAY * (had + at)) | {
            "return": float(fresh[at]),
            "equity": float(equity[at]),
            "bars": int(days.bars[had + at]),
            "status": status,
        }
        if one.cohort == PROMOTED and status != before:
            log.warning("%s of night %s is %s", one.strategy_id, one.night, status)


def _days(store: Store, night: Night, running: Sequence[Followed]) -> dict[Name, Days]:
    """Return the whole days of each; what cannot be run any more is said and left out."""
    today = night.question.as_of.date()
    groups: dict[Start, list[Followed]] = defaultdict(list)
    for one in running:
        if (today - one.first).days > len(one.returns) and _sound(one):
            plan = one.frozen.plan
            groups[plan.since, one.first, plan.costs, plan.interval].append(one)
    rules = {start: _rules(group) for start, group in groups.items()}
    markets = _markets(store, night, rules)
    return {
        one.name: combined(one.frozen, markets[start], days=(today - start[1]).days)
        for start, group in groups.items()
        for one in group
    }


def _markets(
    store: Store, night: Night, rules: dict[Start, dict[str, list[Strategy]]]
) -> dict[Start, dict[str, Traded]]:
    """Run what began together together; each market's bars are read once for all of it."""
    question = night.question
    found: dict[Start, dict[str, Traded]] = {start: {} for start in rules}
    wanted = {(symbol, start[3]) for start, needed in rules.items() for symbol in needed}
    for symbol, interval in sorted(wanted):
        starts = [
            start for start, needed in rules.items() if symbol in needed and start[3] == interval
        ]
        candles = research_candles(
            store,
            venue=question.venue,
            symbols=[symbol],
            interval=interval,
            start=min(since for since, *_ in starts),
            end=question.as_of,
            lenders=question.lenders,
        )
        for start in starts:
            since, first, costs, _ = start
            found[start][symbol] = traded(
                candles.filter(pl.col("open_time") >= since),
                rules[start][symbol],
                costs,
                first=first,
                days=(question.as_of.date() - first).days,
                workers=question.workers,
            )
    return found


def _rules(group: Sequence[Followed]) -> dict[str, list[Strategy]]:
    """Return by symbol the strategies that somebody of the group trades there."""
    needed: dict[str, dict[str, Strategy]] = defaultdict(dict)
    for one in group:
        for strategy, symbols in one.frozen.stakes():
            for symbol in symbols:
                needed[symbol][strategy.id] = strategy
    return {symbol: list(rules.values()) for symbol, rules in sorted(needed.items())}


def _sound(one: Followed) -> bool:
    try:
        one.frozen.rules()
    except InvalidInput as error:
        log.error("%s of night %s is not followed: %s", one.strategy_id, one.night, error)
        return False
    return True
