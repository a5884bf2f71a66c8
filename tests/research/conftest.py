"""Fixtures of the research room."""

from __future__ import annotations

import pytest

from research.reference import Terms, max_drawdown_nb, pack, run
from tests.research.markets import random_bars


@pytest.fixture(scope="session", autouse=True)
def _warm_kernels() -> None:
    """Compile once, so that no test's time depends on which of them came first."""
    bars = random_bars(0, 3)
    max_drawdown_nb(run(bars, pack(3), Terms(step=60_000_000)).equity)
