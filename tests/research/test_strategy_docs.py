"""The reference of the strategy language says what the language does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import talib

from core.errors import StrategySyntaxError
from core.market import INTERVALS
from research.declarations import SERIES, Indicator
from research.indicators import INDICATORS
from research.strategy import Strategy

DOC = (Path(__file__).parents[2] / "docs" / "strategy-language.md").read_text()
EXAMPLES = re.findall(r"```nightjar\n(.*?)```", DOC, re.DOTALL)
ERRORS = re.findall(r"^\| `([^`]+)` \| `(line [^`]+)` \|$", DOC, re.MULTILINE)
ROWS = re.findall(r"^\| `([a-z_]+)[^`]*` \| .* \| ([A-Z_]+) \|$", DOC, re.MULTILINE)


def row(indicator: Indicator, formula: str) -> str:
    """Return the line of the reference that describes an indicator."""
    defaults = ", ".join(f"{parameter.default:g}" for parameter in indicator.parameters)
    bounds = ", ".join(f"{p.name} {p.least:g}–{p.most:g}" for p in indicator.parameters) or "none"
    usual = indicator.source or "—"
    call = f"{indicator.name}({defaults})" if defaults else indicator.name
    return f"| `{call}` | {indicator.summary} | {bounds} | {usual} | {formula} |"


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_a_strategy(text: str) -> None:
    assert Strategy.parse(text).text


def test_there_are_examples_and_the_first_is_in_canonical_form() -> None:
    assert len(EXAMPLES) >= 5
    assert Strategy.parse(EXAMPLES[0]).text == EXAMPLES[0].strip()


@pytest.mark.parametrize(("text", "says"), ERRORS)
def test_every_error_is_the_one_shown(text: str, says: str) -> None:
    with pytest.raises(StrategySyntaxError) as caught:
        Strategy.parse(text)
    assert str(caught.value) == says


def test_there_are_errors() -> None:
    assert len(ERRORS) >= 5


def test_every_indicator_is_described_once_as_it_is_declared() -> None:
    assert sorted(name for name, _ in ROWS) == sorted(INDICATORS)
    for name, formula in ROWS:
        assert row(INDICATORS[name], formula) in DOC
        assert callable(getattr(talib, formula))


def test_every_series_and_timeframe_is_named() -> None:
    for name in (*SERIES, *INTERVALS):
        assert f"`{name}`" in DOC
