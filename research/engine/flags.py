"""Strategies that are given as booleans, one for each bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from research.engine.bits import NO_ROW, every_bar
from research.engine.packing import rows_of
from research.engine.run import Batch
from research.engine.walk import RULES

if TYPE_CHECKING:
    from research.reference import Terms

B1 = NDArray[np.bool_]

LEVELS = ("stop", "target", "trail", "timeout", "timeout_bars")


def flagged(entries: B1, exits: B1 | None, side: str, levels: dict[str, Any]) -> Batch:
    """Return the batch of the columns of `entries` and `exits`: bars by strategies, one side.

    `levels` holds `LEVELS`, each one number for all strategies or one for each.
    """
    bars, strategies = entries.shape
    given = [entries] if exits is None else [entries, exits]
    banks = [rows_of(flags) for flags in given]
    words = banks[0].size // max(strategies, 1)
    rules = np.zeros(strategies, RULES)
    for name in ("long_entry", "long_exit", "short_entry", "short_exit"):
        rules[name] = NO_ROW
    rules[f"{side}_entry"] = np.arange(strategies) * words
    if exits is not None:
        rules[f"{side}_exit"] = np.arange(strategies) * words
    for name in LEVELS:
        rules[name] = levels[name]
    return Batch(banks[0], banks[-1], every_bar(bars), rules)


def levels_of(terms: Terms) -> dict[str, Any]:
    """Return the levels of terms by name."""
    return {name: getattr(terms, name) for name in LEVELS}
