"""The examples of docs/fills.md, run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets import METRICS
from research.costs import Costs
from research.simulate import simulate
from tests.research.markets import MINUTE, START, candles_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLES = re.findall(r"```fills\n(.*?)```", (DOCS / "fills.md").read_text(), re.DOTALL)
TRADE = re.compile(
    r"trade: in (\d+) at ([\d.]+), out (\d+) at ([\d.]+), (\w+), ([-+]?[\d.]+)%(, ambiguous)?"
)


def test_every_section_of_rules_has_an_example() -> None:
    sections = re.split(r"\n## (?=\d)", (DOCS / "fills.md").read_text())[1:]
    assert len(sections) == 9
    assert all("```fills" in section for section in sections)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_makes_the_trades_it_says(example: str) -> None:
    options, _, *lines = example.strip().split("\n")
    rows = [line.split() for line in lines if not line.startswith("trade:")]
    prices = [tuple(float(cell) for cell in row[1:5]) for row in rows]
    found = simulate(
        candles_of(prices, [int(row[0]) for row in rows]),  # type: ignore[arg-type]
        np.array(["entry" in row for row in rows]),
        np.array(["exit" in row for row in rows]),
        **arguments(options),
    )
    said = [TRADE.fullmatch(line) for line in lines if line.startswith("trade:")]
    assert found.height == len(said)
    for trade, claim in zip(found.to_dicts(), said, strict=True):
        assert claim is not None
        entered, bought, left, sold, reason, change, ambiguous = claim.groups()
        assert (trade["entry_time"] - START, trade["exit_time"] - START) == (
            int(entered) * MINUTE,
            int(left) * MINUTE,
        )
        assert trade["entry_price"] == pytest.approx(float(bought), rel=1e-9)
        assert trade["exit_price"] == pytest.approx(float(sold), rel=1e-9)
        decimals = len(change.partition(".")[2])
        assert f"{trade['return'] * 100:.{decimals}f}".lstrip("+-") == change.lstrip("+-")
        assert trade["return"] * float(change) >= 0
        assert trade["reason"] == reason
        assert trade["ambiguous"] == bool(ambiguous)


def arguments(options: str) -> dict[str, Any]:
    """Read `long, stop 2%, fee 100bp, best`."""
    side, *rest = options.split(", ")
    given: dict[str, Any] = {"side": side}
    costs: dict[str, Any] = {"fee_bps": 0, "slippage_bps": 0}
    for option in rest:
        name, _, value = option.partition(" ")
        if value.endswith("%"):
            given[name] = float(value[:-1]) / 100
        elif value.endswith("bp"):
            costs[f"{name}_bps"] = float(value[:-2])
        elif name == "timeout":
            given[name] = value
        else:
            given["ambiguous"] = name
    return given | {"costs": Costs(**costs)}


def test_every_metric_is_documented() -> None:
    metrics = (DOCS / "metrics.md").read_text()
    assert [name for name in METRICS if f"| `{name}` |" not in metrics] == []
