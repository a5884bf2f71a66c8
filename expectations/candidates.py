"""The suite of candidates: what was asked of luck says so, and is made of what it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import CANDIDATES
from expectations.rules import (
    NOT_JSON,
    ROW,
    Suite,
    bad_members,
    between,
    filled,
    matches,
    one_of,
    unreadable,
)

if TYPE_CHECKING:
    from datetime import datetime

KINDS = ("rule", "pooled", "portfolio")
VERDICTS = ("promoted", "not_above_luck", "permutation_explains", "held_back", "not_chosen")
ROUNDING = 1e-9

RULES = (
    matches("candidate_id", "bad_candidate_id", r"^[0-9a-f]{16}\Z", "16 hexadecimal digits"),
    filled("night", "empty_night"),
    filled("text", "empty_text"),
    one_of("kind", "unknown_kind", KINDS),
    one_of("verdict", "unknown_verdict", VERDICTS),
    between("rank", "bad_rank", 1),
    between("member_count", "no_members", 1),
    between("bad_members", "bad_member", 0, 0),
    between("trades", "negative_trades", 0),
    between("total_return", "lost_more_than_all", -1 - ROUNDING),
    between("worst_day", "lost_more_than_all", -1 - ROUNDING),
    between("max_drawdown", "drawdown_out_of_bounds", 0, 1 + ROUNDING),
    *(between(name, "not_a_probability", 0, 1) for name in ("p_value", "permutation_p")),
    between("untested", "promoted_untested", 0, 0),
    between("days", "no_days", 1),
    between("first_us_of_day", "not_a_day", 0, 0),
    NOT_JSON,
    *(
        between(name, "implausible_sharpe", -100, 100, strictly=True, severity="warning")
        for name in ("score", "sharpe")
    ),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Look into the lists of a row, and whether what was promoted was compared with luck."""
    del now
    inside = rows.select(
        ROW,
        days=pl.col("daily_returns").list.len(),
        worst_day=pl.col("daily_returns").list.min(),
        first_us_of_day=pl.col("first_day").to_physical() % 86_400_000_000,
        untested=((pl.col("verdict") == "promoted") & pl.col("p_value").is_null()).cast(pl.Int64),
        not_json=unreadable(rows["opinions"], list),
    )
    return inside.join(bad_members(rows), on=ROW, how="left", maintain_order="left")


SUITE = Suite(
    dataset=CANDIDATES,
    rules=RULES,
    optional=("p_value", "permutation_p"),
    facts=facts,
)
