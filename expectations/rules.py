"""What a suite is made of: rules, each an expectation of Great Expectations with a code.

Rules are data, so that suites can be read, listed and documented without importing Great
Expectations, which takes seconds. `expectations.engine` makes the expectations of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from datetime import datetime

    from core.datasets import Dataset

Severity = Literal["critical", "warning"]
Scope = Literal["row", "batch"]

# The columns that the gate itself puts on a frame before the facts are computed.
ROW = "row"  # position in the frame
HELD = "held"  # True for a row that an earlier batch left in quarantine


@dataclass(frozen=True)
class Rule:
    """One expectation and what breaking it means.

    `code` is the reason that a broken row or batch carries. A critical row rule quarantines the
    row, a critical batch rule refuses the batch, a warning only counts. A rule `beside` others
    reads facts that need neighbours; it is judged after the rules a row can break alone, and
    only of the rows that broke none of them.
    """

    code: str
    expectation: str
    arguments: Mapping[str, Any] = field(hash=False)
    says: str  # what is expected, for people
    severity: Severity = "critical"
    scope: Scope = "row"
    beside: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that the expectation reads."""
        named = [
            self.arguments[key]
            for key in ("column", "column_A", "column_B")
            if key in self.arguments
        ]
        return [*named, *self.arguments.get("column_list", [])]


def between(
    column: str,
    code: str,
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    strictly: bool = False,
    severity: Severity = "critical",
    beside: bool = False,
) -> Rule:
    """Expect numbers within bounds, which `strictly` excludes; null is not judged."""
    arguments = {
        "column": column,
        "min_value": minimum,
        "max_value": maximum,
        "strict_min": strictly and minimum is not None,
        "strict_max": strictly and maximum is not None,
    }
    name = "ExpectColumnValuesToBeBetween"
    says = _bounds(column, minimum, maximum, "<" if strictly else "≤")
    return Rule(code, name, arguments, says, severity=severity, beside=beside)


def _bounds(column: str, minimum: float | None, maximum: float | None, sign: str) -> str:
    if minimum == maximum:
        return f"{column} = {minimum:g}"
    least = "" if minimum is None else f"{minimum:,g} {sign} "
    most = "" if maximum is None else f" {sign} {maximum:,g}"
    return f"{least}{column}{most}"


def one_of(column: str, code: str, values: Sequence[Any]) -> Rule:
    """Expect one of `values`; null is not judged."""
    arguments = {"column": column, "value_set": list(values)}
    says = f"{column} is one of {', '.join(map(str, values))}"
    return Rule(code, "ExpectColumnValuesToBeInSet", arguments, says)


def matches(column: str, code: str, regex: str, says: str) -> Rule:
    """Expect texts in which `regex` is found; null is not judged."""
    arguments = {"column": column, "regex": regex}
    return Rule(code, "ExpectColumnValuesToMatchRegex", arguments, f"{column} is {says}")


def filled(column: str, code: str) -> Rule:
    """Expect texts that say something; null is not judged."""
    return matches(column, code, r"\S", "not empty")


def at_least(column: str, other: str, code: str) -> Rule:
    """Expect `column` >= `other` in each row where neither is null."""
    arguments = {
        "column_A": column,
        "column_B": other,
        "or_equal": True,
        "ignore_row_if": "either_value_is_missing",
    }
    says = f"{other} ≤ {column}"
    return Rule(code, "ExpectColumnPairValuesAToBeGreaterThanB", arguments, says)


def row_count(rows: int) -> Rule:
    """Expect a batch of exactly so many rows."""
    says = f"the batch has {rows:,} rows"
    return Rule("row_count", "ExpectTableRowCountToEqual", {"value": rows}, says, scope="batch")


MISSING_VALUE = between("missing", "missing_value", 0, 0)
NOT_FINITE = between("not_finite", "not_finite", 0, 0)
BAD_NAME = between("bad_names", "bad_name", 0, 0)
DUPLICATE = between("copies_before", "duplicate", 0, 0, beside=True)
NOT_JSON = between("not_json", "not_json", 0, 0)
STRATEGY_ID = matches("strategy_id", "bad_strategy_id", r"^[0-9a-f]{16}\Z", "16 hexadecimal digits")

Facts = Callable[[pl.DataFrame, "datetime"], pl.DataFrame]
NeighbourFacts = Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]


def holds_floats(dtype: pl.DataType) -> bool:
    """Whether a column of this type can hold NaN or infinity."""
    return dtype.is_float() or (isinstance(dtype, pl.List) and dtype.inner == pl.Float64)


def unreadable(notes: pl.Series, kind: type) -> pl.Series:
    """Mark with 1 the notes that are not JSON of the kind, `dict` or `list`; null is not judged."""
    return pl.Series(
        [int(note is not None and not _is_json(note, kind)) for note in notes], dtype=pl.Int64
    )


def _is_json(note: str, kind: type) -> bool:
    try:
        return isinstance(json.loads(note), kind)
    except ValueError:
        return False


def bad_members(rows: pl.DataFrame) -> pl.DataFrame:
    """Return per row how many `members` it has, and how many are not `strategy_id symbol`."""
    member = pl.col("member")
    wrong = ~member.str.contains(r"^[0-9a-f]{16} (\*|[A-Z0-9]+-[A-Z0-9]+)\z") | member.is_null()
    bad = (
        rows.select(ROW, member="members")
        .filter(pl.col("member").list.len() > 0)
        .explode("member")
        .group_by(ROW)
        .agg(bad_members=wrong.sum())
    )
    counted = rows.select(ROW, member_count=pl.col("members").list.len())
    return counted.join(bad, on=ROW, how="left", maintain_order="left")


def no_neighbour_facts(rows: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Compute nothing: for a dataset whose rows do not depend on each other."""
    del history
    return rows.select(ROW)


@dataclass(frozen=True)
class Suite:
    """How one dataset is judged.

    `optional` are the columns that may be null. `facts` computes columns from a row and the
    time, `neighbour_facts` from rows that are sound by themselves and the accepted rows before
    them; both return one row per `ROW`. `remembers` are the columns of history that are read, and
    `lately` is how long before a batch it begins.
    """

    dataset: Dataset
    rules: tuple[Rule, ...]
    facts: Facts
    optional: tuple[str, ...] = ()
    neighbour_facts: NeighbourFacts = no_neighbour_facts
    remembers: tuple[str, ...] = ()
    lately: timedelta = timedelta(days=2)

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The rules of every dataset, as far as this one has the columns, then its own."""
        return (*self._common_rules(), *self.rules, DUPLICATE)

    def _common_rules(self) -> Iterator[Rule]:
        yield MISSING_VALUE
        if any(holds_floats(dtype) for dtype in self.dataset.schema.values()):
            yield NOT_FINITE
        if "venue" in self.dataset.columns:
            yield BAD_NAME

    @property
    def codes(self) -> list[str]:
        """Every reason a row of this dataset can carry, and every warning."""
        return list(dict.fromkeys(rule.code for rule in self.all_rules))
