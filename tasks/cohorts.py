"""Who is followed on paper: what was promoted, and beside it what was not, for comparison."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from core.settings import load
from research.book import NOT_PROMOTED, PROMOTED, RANDOM
from research.costs import Costs
from research.paper import Frozen, Plan, first_day, rule_hash, spread_of
from storage.lake import sql
from tasks.steps import log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage.store import Store
    from tasks.nightly import Night

DAY = timedelta(days=1)
# Comparisons begin on nights that promoted, and otherwise no more often than this.
REST = 7 * DAY
# What failed the test against luck; not what passed it and was too much like a winner.
FAILED = ("not_above_luck", "permutation_explains", "held_back")


class Followed(NamedTuple):
    """A candidate on paper: what is stored of it, and `opening`, the day before its first one."""

    night: str
    strategy_id: str
    symbol: str
    cohort: str
    opening: date
    frozen: Frozen
    returns: tuple[float, ...] = ()
    equity: float = 1.0
    stored: bool = False

    @property
    def name(self) -> tuple[str, str, str, str]:
        """What tells it from all others of its venue."""
        return self.night, self.strategy_id, self.symbol, self.cohort

    @property
    def first(self) -> date:
        """The first day that counts."""
        return self.opening + DAY

    @property
    def over(self) -> bool:
        """Whether nothing is added any more."""
        return len(self.returns) >= self.frozen.plan.horizon_days


def plan_of(
    night: Night, returns: Sequence[float], *, mean: float | None = None, kill: bool = True
) -> Plan:
    """Return the plan for a candidate of tonight.

    Args:
        night: The night that found it: its costs, its symbols, its first bar.
        returns: The candidate's net return on each day of the night's window.
        mean: What is expected of a day, shrunken for having been chosen; the mean of `returns`
            where it is not given.
        kill: Whether it is stopped when it falls too far below what is expected.
    """
    terms, question = load().paper, night.question
    seen = np.asarray(returns, np.float64)
    return Plan(
        horizon_days=terms.horizon_days,
        level=terms.level,
        kill_sigma=terms.kill_sigma if kill else None,
        forecast_mean=float(seen.mean()) if mean is None else mean,
        forecast_sd=spread_of(seen),
        costs=Costs(**question.costs.model_dump()),
        symbols=night.symbols,
        since=question.start,
        interval=question.interval,
    )


def followed(store: Store, venue: str) -> list[Followed]:
    """Return all that was ever followed on a venue, with the days stored of it."""
    rows = sql(
        "select night, strategy_id, symbol, cohort, min(day)::DATE as opening, "
        "any_value(plan) as plan, arg_max(equity, day) as equity, coalesce("
        'list("return" order by day) filter (plan is null), []) as returns '
        "from paper where venue = $venue group by all order by all",
        {"venue": venue},
        store=store,
    )
    return [
        Followed(
            *(row["night"], row["strategy_id"], row["symbol"], row["cohort"], row["opening"]),
            frozen=msgspec.json.decode(row["plan"], type=Frozen),
            returns=tuple(row["returns"]),
            equity=row["equity"],
            stored=True,
        )
        for row in rows.to_dicts()
    ]


def newcomers(
    store: Store, night: Night, known: Sequence[Followed], promoted: Sequence[Followed]
) -> list[Followed]:
    """Return who is to be followed from this night on and is not yet.

    Args:
        store: Where the night is saved.
        night: Tonight.
        known: All that is followed.
        promoted: All that was ever promoted.
    """
    names = {one.name for one in known}
    found = list(promoted)
    if _compares(night, known, promoted):
        found += [*_rejected(store, night), *_random(store, night)]
    return [one for one in found if one.name not in names]


def _compares(night: Night, known: Sequence[Followed], promoted: Sequence[Followed]) -> bool:
    """Say whether this night is one whose rejected are followed, and has not begun to be."""
    others = [one for one in known if one.cohort != PROMOTED]
    if any(one.night == night.night for one in others):
        return False
    if any(one.night == night.night for one in promoted):
        return True
    tonight = night.question.as_of.date()
    return all(abs(tonight - one.opening) >= REST for one in others)


def unchanged(known: Sequence[Followed], promoted: Sequence[Followed]) -> list[Followed]:
    """Return what is followed but promotions that are not any more what they were.

    A person who changes a rule or a plan after its promotion ends its trial.
    """
    as_promoted = {one.name: one.frozen for one in promoted}
    same = []
    for one in known:
        if one.cohort == PROMOTED and as_promoted.get(one.name) != one.frozen:
            log.error("%s of night %s is not what was promoted", one.strategy_id, one.night)
        else:
            same.append(one)
    return same


def promotions(store: Store, night: Night) -> Iterator[Followed]:
    """Yield every promotion that has a plan, also of a night that ended before it came to this."""
    rows = sql(
        "select night, strategy_id, symbol, text, members, plan, rule_hash, promoted_at "
        "from promotions where venue = $venue and plan is not null "
        "and promoted_at <= $as_of order by night, strategy_id, symbol",
        {"venue": night.question.venue, "as_of": night.question.as_of},
        store=store,
    )
    for row in rows.to_dicts():
        plan = msgspec.json.decode(row["plan"], type=Plan)
        found = rule_hash(row["text"], row["members"], plan.costs)
        if row["rule_hash"] != found:
            log.error(
                "the rule of %s of night %s was changed: expected the hash %s, was %s",
                *(row["strategy_id"], row["night"], row["rule_hash"], found),
            )
            continue
        yield Followed(
            *(row["night"], row["strategy_id"], row["symbol"], PROMOTED),
            opening=first_day(row["promoted_at"]) - DAY,
            frozen=Frozen(plan, row["text"], tuple(row["members"])),
        )


def _rejected(store: Store, night: Night) -> Iterator[Followed]:
    """Yield the best of those that failed tonight."""
    rows = sql(
        "select candidate_id, symbol, text, members, daily_returns "
        "from candidates where night = $night and list_contains($failed, verdict) "
        "order by rank, candidate_id, symbol limit $most",
        {"night": night.night, "failed": list(FAILED), "most": load().paper.rejected},
        store=store,
    )
    for row in rows.to_dicts():
        yield _beside(night, NOT_PROMOTED, row["candidate_id"], row)


def _random(store: Store, night: Night) -> Iterator[Followed]:
    """Yield some of all that were tried tonight and traded enough, drawn by the night's seed."""
    tried = sql(
        "select strategy_id || ' ' || symbol as member from trials "
        "where night = $night and trades >= $least",
        {"night": night.night, "least": night.question.vetting.min_trades},
        store=store,
    )["member"].to_list()
    drawn = sorted(tried, key=lambda member: _lot(night, member))[: load().paper.random]
    rows = sql(
        "select strategy_id, symbol, text, daily_returns, "
        "[strategy_id || ' ' || symbol] as members from trials "
        "where night = $night and list_contains($drawn, strategy_id || ' ' || symbol) "
        "order by strategy_id, symbol",
        {"night": night.night, "drawn": drawn},
        store=store,
    )
    for row in rows.to_dicts():
        yield _beside(night, RANDOM, row["strategy_id"], row)


def _lot(night: Night, member: str) -> str:
    """Return what decides who is drawn: as good as random, and the same on every machine."""
    return hashlib.sha256(f"{night.luck} {member}".encode()).hexdigest()


def _beside(night: Night, cohort: str, name: str, row: dict[str, Any]) -> Followed:
    plan = plan_of(night, row["daily_returns"], kill=False)
    return Followed(
        *(night.night, name, row["symbol"], cohort),
        opening=first_day(night.question.as_of) - DAY,
        frozen=Frozen(plan, row["text"], tuple(row["members"])),
    )
