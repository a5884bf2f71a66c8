"""Markets that several tests look at; nothing writes to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.research.opinions.scenes import echoing, market, trending

if TYPE_CHECKING:
    from research.market import Market


@pytest.fixture(scope="session")
def trends() -> dict[str, Market]:
    """Three markets with trends, 45 days from the first of January 2026."""
    return {
        name: market(trending(i, 45), name) for i, name in enumerate(("A-USDT", "B-USDT", "C-USDT"))
    }


@pytest.fixture(scope="session")
def echo() -> dict[str, Market]:
    return {"A-USDT": market(echoing(1, 10), "A-USDT")}
