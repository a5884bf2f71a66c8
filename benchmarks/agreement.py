"""Whether engines gave the same trades: nothing is timed before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.engines import FIGURES

if TYPE_CHECKING:
    from collections.abc import Mapping

PRICE = 1e-9  # relative difference of fill prices that counts as the same

Answer = dict[str, Any]


class Disagreement(RuntimeError):
    """Two engines that are compared did not do the same."""


class Compared(NamedTuple):
    """How near one engine came to another: trades, and the largest differences found."""

    trades: int
    price: float  # relative
    figures: dict[str, float]  # absolute


def compare(name: str, answer: Answer, expected: Answer) -> Compared:
    """Return how near an answer is to the one expected.

    Raises:
        Disagreement: Trades differ in strategy, bars, reason, or price by more than `PRICE`.
    """
    for key in ("column", "entry_bar", "exit_bar", "reason"):
        found, wanted = answer[key], expected[key]
        if found.size != wanted.size:
            raise Disagreement(f"expected {wanted.size} trades of {name}, was {found.size}")
        differs = np.flatnonzero(found != wanted)
        if differs.size:
            raise Disagreement(_first(name, key, int(differs[0]), answer, expected))
    price = max(_apart(answer[key], expected[key]) for key in ("entry_price", "exit_price"))
    if price > PRICE:
        raise Disagreement(f"expected prices of {name} within {PRICE}, was {price}")
    figures = {
        key: float(np.max(np.abs(answer[key] - expected[key]), initial=0.0)) for key in FIGURES
    }
    return Compared(answer["column"].size, price, figures)


def compare_all(answers: Mapping[str, Answer]) -> dict[str, Compared]:
    """Compare every answer with the first, which is the reference's."""
    (_, expected), *others = answers.items()
    return {name: compare(name, answer, expected) for name, answer in others}


def _apart(found: Any, wanted: Any) -> float:
    return float(np.max(np.abs(found / wanted - 1.0), initial=0.0))


def _first(name: str, key: str, at: int, answer: Answer, expected: Answer) -> str:
    rows = [
        {field: one[field][at].item() for field in ("column", "entry_bar", "exit_bar", "reason")}
        for one in (expected, answer)
    ]
    return f"expected {key} of {name} in trade {at} as in {rows[0]}, was {rows[1]}"
