"""Our metrics beside the library's own: one batch, judged both ways, gives one result."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from expectations.engine import validate, validate_in_pandas
from expectations.facts import common_facts, copies_before
from expectations.metrics import metrics_of
from expectations.rules import HELD, ROW, Rule, at_least, between, matches, one_of, row_count
from expectations.suites import SUITES
from tests.storage.samples import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NUMBERS = (None, math.nan, math.inf, -math.inf, -1.0, 0.0, 0.5, 1.0, 2.0, 1e300)
TEXTS = (None, "", " ", "1m", "5m", "0123456789abcdef", "0123456789abcdef\n", "x'; drop")
PRICES = ("open", "high", "low", "close")

RULES = (
    between("open", "positive", 0, strictly=True),
    between("high", "bounded", 0, 1),
    between("whole", "few", None, 3),
    between("low", "below", None, 1, strictly=True, severity="warning"),
    one_of("text", "interval", ["1m", "5m"]),
    matches("text", "id", r"^[0-9a-f]{16}\Z", "16 digits"),
    matches("text", "filled", r"\S", "not empty"),
    at_least("open", "close", "pair"),
    Rule("ohlc", "ExpectOhlcConsistent", {"column_list": list(PRICES)}, "low ≤ open ≤ high"),
    row_count(4),
)

frames = st.lists(
    st.fixed_dictionaries(
        dict.fromkeys(PRICES, st.sampled_from(NUMBERS))
        | {"whole": st.sampled_from((None, -(2**40), 0, 3, 4)), "text": st.sampled_from(TEXTS)}
    ),
    max_size=8,
)
SCHEMA = dict.fromkeys(PRICES, pl.Float64()) | {"whole": pl.Int64(), "text": pl.String()}
COUNTS = ("element_count", "unexpected_count", "unexpected_index_list", "missing_count")


def told(result: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return what a result says of each rule, by its code."""
    return {
        outcome.expectation_config.meta["code"]: (
            bool(outcome.success),
            [outcome.result.get(name) for name in names],
        )
        for outcome in result.results
    }


def same(rules: Sequence[Rule], rows: pl.DataFrame) -> None:
    ours, theirs = validate("rows", rules, rows), validate_in_pandas("rows", rules, rows)
    names = (*COUNTS, "observed_value", "unexpected_percent", "missing_percent")
    assert told(ours, names) == told(theirs, names)
    assert ours.success == theirs.success
    assert dict(ours.statistics) == dict(theirs.statistics)
    for one, other in zip(_by_code(ours), _by_code(theirs), strict=True):
        assert _broken(one) == _broken(other)


def _broken(outcome: Any) -> str:
    """Write the broken values so that NaN is itself, and 2 is 2.0 as in a column with nulls."""
    rows = []
    for value in outcome.result.get("unexpected_list") or []:
        parts = value.values() if isinstance(value, dict) else value
        parts = parts if isinstance(value, dict | tuple) else [value]
        rows.append([part.item() if hasattr(part, "item") else part for part in parts])
    return re.sub(r"(?<=\d)\.0\b", "", str(rows).replace("None", "nan"))


def _by_code(result: Any) -> list[Any]:
    return sorted(result.results, key=lambda outcome: outcome.expectation_config.meta["code"])


@settings(max_examples=12, phases=[Phase.generate])  # half a second each: no shrinking
@given(frames)
def test_every_kind_of_rule_is_judged_as_the_library_judges_it(rows: list[dict[str, Any]]) -> None:
    same(RULES, pl.DataFrame(rows, schema=SCHEMA))


@pytest.mark.parametrize("dataset", ["candles", "trials", "promotions"])
def test_every_suite_can_be_judged_without_the_librarys_graph(dataset: str) -> None:
    suite = SUITES[dataset]
    rows = rows_of(suite.dataset, 5).with_row_index(ROW)
    rows = rows.with_columns(pl.lit(value=False).alias(HELD))
    past = rows.select(suite.remembers).clear()
    facts = [
        *(common_facts(suite.dataset, suite.optional, rows), suite.facts(rows, NOW)),
        *(copies_before(suite.dataset, rows, past), suite.neighbour_facts(rows, past)),
    ]
    for fact in facts:
        rows = rows.join(fact, on=ROW, how="left", maintain_order="left")
    assert metrics_of(suite.all_rules, rows) is not None
    same(suite.all_rules, rows)


def test_a_rule_that_is_not_known_here_goes_the_librarys_way() -> None:
    rule = Rule("unique", "ExpectColumnValuesToBeUnique", {"column": "whole"}, "whole is unique")
    rows = pl.DataFrame({"whole": [1, 1, 2]})
    assert metrics_of([rule], rows) is None
    [outcome] = validate("rows", [rule], rows).results
    assert outcome.result["unexpected_index_list"] == [0, 1]


def test_a_column_that_is_not_there_goes_the_librarys_way() -> None:
    assert metrics_of([between("nowhere", "lost", 0)], pl.DataFrame({"whole": [1]})) is None
