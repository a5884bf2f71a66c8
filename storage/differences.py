"""Where rows that were made again are not the rows that are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from core.errors import ContractBroken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.datasets import Dataset

NONE = "no such row"
MOST_TEXT = 80  # characters of a value that are shown


class Difference(msgspec.Struct, frozen=True):
    """One value that is not the same; `column` is empty where a whole row is missing."""

    dataset: str
    row: str
    column: str
    stored: str
    again: str


class Comparison(msgspec.Struct, frozen=True):
    """How two sets of rows compare: how many were stored, how many differ, the first that do."""

    dataset: str
    rows: int
    differing: int
    first: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether each row is in both, and the same."""
        return self.differing == 0


def compare(
    dataset: Dataset,
    stored: pl.DataFrame,
    again: pl.DataFrame,
    *,
    columns: Sequence[str],
    most: int = 5,
) -> Comparison:
    """Return where `again` is not what is `stored`, by the dataset's key.

    Numbers are compared exactly; two nulls are equal, and so are two NaNs. The order of the rows
    does not matter.

    Args:
        dataset: Whose key names the rows.
        stored: Rows with the key and the columns.
        again: The same, made anew.
        columns: What to compare beside the key.
        most: How many differences to name.

    Raises:
        ContractBroken: A key comes twice, or a column is missing.
    """
    key = list(dataset.key)
    left, right = (_prepared(dataset, frame, key, columns) for frame in (stored, again))
    both = left.join(right, on=key, how="inner", suffix=_AGAIN, maintain_order="left")
    unequal = {name: pl.col(name).ne_missing(pl.col(name + _AGAIN)) for name in columns}
    changed = both.filter(pl.any_horizontal(*unequal.values())) if unequal else both.clear()
    lost = left.join(right, on=key, how="anti", maintain_order="left")
    added = right.join(left, on=key, how="anti", maintain_order="left")
    named: list[Difference] = []
    for difference in _differences(
        dataset.name, key, columns, lost=lost, added=added, changed=changed
    ):
        if len(named) == most:
            break
        named.append(difference)
    return Comparison(
        dataset.name, left.height, lost.height + added.height + changed.height, tuple(named)
    )


_AGAIN = "\0again"  # no column is called like this


def _prepared(
    dataset: Dataset, frame: pl.DataFrame, key: list[str], columns: Sequence[str]
) -> pl.DataFrame:
    missing = [name for name in (*key, *columns) if name not in frame.columns]
    if missing:
        raise ContractBroken(dataset.name, f"expected the columns {missing} too")
    rows = frame.select(*key, *(name for name in columns if name not in key)).sort(key)
    if rows.select(key).is_duplicated().any():
        raise ContractBroken(dataset.name, f"expected each {', '.join(key)} once")
    return rows


def _differences(
    dataset: str,
    key: list[str],
    columns: Sequence[str],
    *,
    lost: pl.DataFrame,
    added: pl.DataFrame,
    changed: pl.DataFrame,
) -> Iterator[Difference]:
    for row in lost.iter_rows(named=True):
        yield Difference(dataset, _name(row, key), "", "there", NONE)
    for row in added.iter_rows(named=True):
        yield Difference(dataset, _name(row, key), "", NONE, "there")
    for row in changed.iter_rows(named=True):
        for name in columns:
            one, other = row[name], row[name + _AGAIN]
            if _said(one) != _said(other):
                yield Difference(dataset, _name(row, key), name, *_where(one, other))


def _name(row: dict[str, Any], key: list[str]) -> str:
    """Return the key in words, without the night where that is not all of it."""
    return " ".join(str(row[name]) for name in key if name != "night" or len(key) == 1)


def _said(value: Any) -> str:
    # `repr` of a float names one float, and all NaNs look alike.
    return repr(value)


def _where(one: Any, other: Any) -> tuple[str, str]:
    """Return both values in short; of lists only the first items that differ."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        place = next(n for n in range(len(one)) if _said(one[n]) != _said(other[n]))
        return f"[{place}] {_short(one[place])}", f"[{place}] {_short(other[place])}"
    if isinstance(one, list) and isinstance(other, list):
        return f"{len(one)} values", f"{len(other)} values"
    return _short(one), _short(other)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"
