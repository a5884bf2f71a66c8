"""docs/sandbox.md names what there is."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from sources.sandbox.faults import Faults
from sources.sandbox.symbols import INSTRUMENTS, Trend

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "sandbox.md").read_text()


@pytest.mark.parametrize("name", [field.name for field in fields(Faults)])
def test_every_fault_and_its_default_are_explained(name: str) -> None:
    assert f"`{name}`" in PAGE or f": {name}`" in PAGE


def test_every_planted_market_is_named() -> None:
    assert all(one.symbol in PAGE for one in INSTRUMENTS if one.edge)


def test_the_numbers_of_the_trend_are_those_of_the_table() -> None:
    edge = INSTRUMENTS[0].edge
    assert isinstance(edge, Trend)
    assert f"{edge.strength:g} times the day's volatility" in PAGE
    assert f"{edge.shortest * 8} to {edge.longest * 8} hours" in PAGE
    assert f"after {edge.shortest} to {edge.longest} of them" in PAGE
