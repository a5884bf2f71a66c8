"""The last word on each candidate: odds, second opinions, and who goes on to paper trading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
from prefect import task

from core.datasets import CANDIDATES, PROMOTIONS, TIME
from core.receipts import Receipt
from research.factory import power_of, shrunk
from research.hunt import PORTFOLIO, Candidate, unalike
from research.metrics import max_drawdown, sharpe
from research.opinions import Opinion, dissenting
from research.paper import rule_hash
from storage import stages
from storage.store import default_store
from tasks.breed import caught_by
from tasks.cohorts import plan_of
from tasks.judge import judged
from tasks.nightly import MADE_BY, Night, keep_stage
from tasks.opinions import opinions_on
from tasks.steps import ONCE, log

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tasks.judge import Judgement

    F8 = NDArray[np.float64]

PROMOTED, NOT_CHOSEN, HELD_BACK = "promoted", "not_chosen", "held_back"
NOT_ABOVE_LUCK, PERMUTATION_EXPLAINS = "not_above_luck", "permutation_explains"

# What is said of each candidate by itself; the rest of the row is the same for all.
WEIGHED = {
    name: CANDIDATES.columns[name]
    for name in (
        *("candidate_id", "symbol", "kind", "rank", "text", "members", "trades", "score", "sharpe"),
        *("total_return", "max_drawdown", "p_value", "permutation_p", "opinions", "daily_returns"),
    )
}

# Two promotions whose daily returns correlate beyond this would only double a stake.
ALIKE = 0.9


@task(task_run_name="weigh the candidates", **ONCE)
def weigh(night: Night, searched: Receipt) -> Receipt:
    """Give every candidate its verdict; return the rows of `candidates`."""
    store = default_store()
    caught, judgement = caught_by(night), judged(night)
    tried = stages.read(store, searched)
    net = {
        (one, symbol): np.array(returns)
        for one, symbol, returns in tried.select(
            "strategy_id", "symbol", "daily_returns"
        ).iter_rows()
    }
    earned: list[F8] = [
        np.mean([net[member.strategy_id, member.symbol] for member in one.members], axis=0)
        for one in caught.candidates
    ]
    verdicts = _by_odds(night, judgement)
    chosen = _unalike(night, verdicts, [one.returns for one in caught.candidates])
    winners = [(caught.candidates[rank], earned[rank]) for rank in chosen]
    said = dict(zip(chosen, opinions_on(night, winners, tried, judgement), strict=True))
    for rank, opinions in said.items():
        held = judgement.alarm is not None or dissenting(opinions)
        verdicts[rank] = HELD_BACK if held else PROMOTED
    rows = [
        _candidate(one, rank, earned[rank], judgement, said.get(rank, []))
        for rank, one in enumerate(caught.candidates)
    ]
    frame = pl.DataFrame(rows, schema=WEIGHED).with_columns(
        night=pl.lit(night.night),
        venue=pl.lit(night.question.venue),
        verdict=pl.Series(verdicts, dtype=pl.String),
        first_day=pl.lit(tried["first_day"].first(), TIME),
        scored_at=pl.lit(night.question.as_of, TIME),
        source=pl.lit(MADE_BY),
        ingested_at=pl.lit(night.question.as_of, TIME),
    )
    log.info("%s of %s candidates are promoted", verdicts.count(PROMOTED), len(verdicts))
    return keep_stage(night, CANDIDATES.name, CANDIDATES.conform(frame))


def _by_odds(night: Night, judgement: Judgement) -> list[str]:
    """Return the verdicts of the null worlds; who beat them all is not chosen yet."""
    terms = night.question.vetting
    verdicts = []
    for p, second in zip(judgement.p_values, judgement.permutation_p, strict=True):
        if p > terms.alpha:
            verdicts.append(NOT_ABOVE_LUCK)
        elif second is None or second > terms.permutation_alpha:
            verdicts.append(PERMUTATION_EXPLAINS)
        else:
            verdicts.append(NOT_CHOSEN)
    return verdicts


def _unalike(night: Night, verdicts: list[str], returns: list[F8]) -> list[int]:
    """Choose among those above luck: the best of any that behave alike, not more than may be."""
    ranks = [rank for rank, verdict in enumerate(verdicts) if verdict == NOT_CHOSEN]
    if not ranks:
        return []
    most = night.question.vetting.max_promotions
    return [ranks[at] for at in unalike(np.stack([returns[rank] for rank in ranks]), ALIKE, most)]


def _candidate(
    one: Candidate, rank: int, earned: F8, judgement: Judgement, opinions: list[Opinion]
) -> dict[str, Any]:
    equity = np.cumprod(1.0 + earned).astype(np.float64)
    return {
        "candidate_id": one.candidate_id,
        "symbol": one.symbol,
        "kind": one.kind,
        "rank": rank + 1,
        "text": text_of(one),
        "members": [f"{member.strategy_id} {member.symbol}" for member in one.members],
        "trades": one.trades,
        "score": one.score,
        "sharpe": sharpe(earned),
        "total_return": float(equity[-1] - 1.0),
        "max_drawdown": max_drawdown(equity),
        "p_value": judgement.p_values[rank],
        "permutation_p": judgement.permutation_p[rank],
        "opinions": msgspec.json.encode(opinions).decode(),
        "daily_returns": earned.tolist(),
    }


def text_of(one: Candidate) -> str:
    """Return the canonical text of a rule, or those of a portfolio, each under its symbol."""
    if one.kind != PORTFOLIO:
        return one.members[0].text
    return "\n\n".join(f"[{member.symbol}]\n{member.text}" for member in one.members)


@task(task_run_name="promote", **ONCE)
def promote(night: Night, candidates: Receipt) -> Receipt:
    """Freeze the night's winners, each with the plan by which paper trading will judge it."""
    store, question = default_store(), night.question
    judgement = judged(night)
    winners = stages.read(store, candidates).filter(pl.col("verdict") == PROMOTED)
    scores = [world.score for world in judgement.mirrored]
    hurdle = power_of(scores, question.days, question.vetting.alpha).hurdle
    usual = float(np.mean([score for score in scores if np.isfinite(score)] or [0.0]))
    rows = []
    for row in winners.to_dicts():
        earned = np.array(row["daily_returns"])
        left = min(shrunk(row["score"], hurdle, earned.size), row["score"] - usual)
        kept = max(0.0, left) / row["score"]
        plan = plan_of(night, row["daily_returns"], mean=float(earned.mean()) * kept)
        rows.append(
            {name: row[name] for name in PROMOTIONS.columns if name in row}
            | {
                "strategy_id": row["candidate_id"],
                "luck_hurdle": hurdle,
                "rule_hash": rule_hash(row["text"], row["members"], plan.costs),
                "plan": msgspec.json.encode(plan).decode(),
            }
        )
    frame = pl.DataFrame(rows, schema=PROMOTIONS.schema).with_columns(
        status=pl.lit("running"),
        promoted_at=pl.lit(question.as_of, TIME),
        source=pl.lit(MADE_BY),
        ingested_at=pl.lit(question.as_of, TIME),
    )
    return keep_stage(night, PROMOTIONS.name, PROMOTIONS.conform(frame))
