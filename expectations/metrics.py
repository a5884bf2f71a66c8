"""What Great Expectations asks of a batch, computed on its columns at once.

An expectation judges metrics: how many rows there are, how many its condition speaks of, and which
break it. The library's own way to them (a graph of metrics, each a pass over pandas) costs half a
second a batch before the first row. Here they are computed where the rows lie; the expectation
itself still judges them. A value that is null or NaN is missing, as in pandas.
https://docs.greatexpectations.io/docs/core/customize_expectations/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from expectations.rules import Rule

    Condition = Callable[[pl.DataFrame, Mapping[str, Any]], tuple[pl.Expr, pl.Expr]]
    Metrics = dict[str, Any]

_ROW_COUNT = "ExpectTableRowCountToEqual"
_MISSING = "column_values.nonnull.unexpected_count"


def metrics_of(rules: Sequence[Rule], rows: pl.DataFrame) -> list[Metrics] | None:
    """Return what the expectation of each rule asks of the rows.

    None where only the library itself knows how to find out, or what is wrong.
    """
    known = all(
        rule.expectation == _ROW_COUNT
        or (rule.expectation in _CONDITIONS and set(rule.columns) <= set(rows.columns))
        for rule in rules
    )
    if not known:
        return None
    try:
        wanted = [expression for expressions in _asked(rules, rows) for expression in expressions]
        found = rows.select(wanted).row(0, named=True) if wanted else {}
    except (pl.exceptions.PolarsError, TypeError):
        return None
    return [_metrics(rule, rows, found, place) for place, rule in enumerate(rules)]


def _asked(rules: Sequence[Rule], rows: pl.DataFrame) -> Iterator[tuple[pl.Expr, pl.Expr]]:
    """Yield, for each rule, how many rows it judges and which of them break it."""
    for place, rule in enumerate(rules):
        if rule.expectation in _CONDITIONS:
            judged, broken = _CONDITIONS[rule.expectation](rows, rule.arguments)
            numbers = (judged & broken).arg_true().implode()
            yield judged.sum().alias(f"judged {place}"), numbers.alias(f"broken {place}")


def _metrics(rule: Rule, rows: pl.DataFrame, found: dict[str, Any], place: int) -> Metrics:
    if rule.expectation == _ROW_COUNT:
        return {"table.row_count": rows.height}
    count, numbers = found[f"judged {place}"], found[f"broken {place}"]
    return {
        "table.row_count": rows.height,
        "missing": rows.height - count,
        "filtered_row_count": count,
        "unexpected_count": len(numbers),
        "unexpected_values": _values(rule, rows, numbers),
        "unexpected_index_list": numbers,
    }


def named(metrics: Metrics, map_metric: str) -> Metrics:
    """Return metrics under the names that an expectation with this map metric asks for."""
    names = {"table.row_count": "table.row_count", "missing": _MISSING}
    return {names.get(name, f"{map_metric}.{name}"): value for name, value in metrics.items()}


def _values(rule: Rule, rows: pl.DataFrame, numbers: list[int]) -> list[Any]:
    """Return what the broken rows say, in the form that the kind of expectation has."""
    if not numbers:
        return []
    said = rows.select(rule.columns)[numbers]
    if "column_list" in rule.arguments:
        return said.to_dicts()
    return said.rows() if said.width > 1 else said.to_series().to_list()


def _between(rows: pl.DataFrame, arguments: Mapping[str, Any]) -> tuple[pl.Expr, pl.Expr]:
    value = _number(rows, arguments["column"])
    broken = pl.lit(value=False)
    if (least := arguments["min_value"]) is not None:
        broken |= value <= least if arguments["strict_min"] else value < least
    if (most := arguments["max_value"]) is not None:
        broken |= value >= most if arguments["strict_max"] else value > most
    return value.is_not_null(), broken.fill_null(value=False)


def _in_set(rows: pl.DataFrame, arguments: Mapping[str, Any]) -> tuple[pl.Expr, pl.Expr]:
    value = _number(rows, arguments["column"])
    known = pl.Series(arguments["value_set"], dtype=rows.schema[arguments["column"]])
    return value.is_not_null(), ~value.is_in(known.implode()).fill_null(value=True)


def _matches(rows: pl.DataFrame, arguments: Mapping[str, Any]) -> tuple[pl.Expr, pl.Expr]:
    # Python's own expressions: those of polars differ from them.
    looked = re.compile(arguments["regex"])
    texts = rows[arguments["column"]].drop_nulls().unique()
    good = [text for text in texts if looked.search(text)]
    value = pl.col(arguments["column"])
    return value.is_not_null(), ~value.is_in(pl.Series(good, dtype=pl.String()).implode())


def _at_least(rows: pl.DataFrame, arguments: Mapping[str, Any]) -> tuple[pl.Expr, pl.Expr]:
    more, less = (_number(rows, arguments[name]) for name in ("column_A", "column_B"))
    judged = more.is_not_null() & less.is_not_null()
    return judged, (more < less).fill_null(value=False)


def _ohlc(rows: pl.DataFrame, arguments: Mapping[str, Any]) -> tuple[pl.Expr, pl.Expr]:
    prices = [_number(rows, name) for name in arguments["column_list"]]
    opened, high, low, close = prices
    body = opened.is_not_null() & close.is_not_null()
    broken = (high < pl.max_horizontal(opened, close)) | (low > pl.min_horizontal(opened, close))
    judged = ~pl.all_horizontal([price.is_null() for price in prices])
    return judged, (body & broken).fill_null(value=False)


def _number(rows: pl.DataFrame, column: str) -> pl.Expr:
    """Return a column in which NaN is null."""
    value = pl.col(column)
    return value.fill_nan(None) if rows.schema[column].is_float() else value


_CONDITIONS: dict[str, Condition] = {
    "ExpectColumnValuesToBeBetween": _between,
    "ExpectColumnValuesToBeInSet": _in_set,
    "ExpectColumnValuesToMatchRegex": _matches,
    "ExpectColumnPairValuesAToBeGreaterThanB": _at_least,
    "ExpectOhlcConsistent": _ohlc,
}
