"""The suite of promotions: what goes to paper trading is complete and beat the luck hurdle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.datasets import PROMOTIONS
from expectations.candidates import KINDS
from expectations.rules import (
    NOT_JSON,
    ROW,
    STRATEGY_ID,
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

RULES = (
    STRATEGY_ID,
    filled("night", "empty_night"),
    filled("text", "empty_text"),
    filled("status", "empty_status"),
    one_of("kind", "unknown_kind", KINDS),
    between("member_count", "no_members", 1),
    between("bad_members", "bad_member", 0, 0),
    *(
        between(name, "not_a_probability", 0, 1)
        for name in ("p_value", "permutation_p", "deflated_sharpe")
    ),
    matches("rule_hash", "not_a_hash", r"^[0-9a-f]{64}\Z", "a SHA-256 in hexadecimal"),
    NOT_JSON,
    between("above_luck", "below_luck_hurdle", 0, severity="warning"),
    *(
        between(name, "implausible_sharpe", -100, 100, strictly=True, severity="warning")
        for name in ("score", "sharpe", "out_of_sample_sharpe")
    ),
)


def facts(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Compute by how much it beat what luck alone would have shown, and look into its lists."""
    del now
    above = rows.select(
        ROW,
        above_luck=pl.col("sharpe") - pl.col("luck_hurdle"),
        not_json=unreadable(rows["plan"], dict),
    )
    return above.join(bad_members(rows), on=ROW, how="left", maintain_order="left")


SUITE = Suite(
    dataset=PROMOTIONS,
    rules=RULES,
    optional=(
        *("kind", "members", "score", "p_value", "permutation_p", "rule_hash", "plan"),
        *("out_of_sample_sharpe", "deflated_sharpe", "luck_hurdle"),
    ),
    facts=facts,
)
