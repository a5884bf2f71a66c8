from __future__ import annotations

import pytest

from tasks.breed import islands


@pytest.mark.parametrize(
    ("symbols", "strategies", "expected"),
    [
        ("ABC", 500, ["A", "B", "C"]),
        ("ABC", 12, ["A", "B", "C"]),
        ("ABC", 11, ["AC", "B"]),
        ("ABC", 4, ["ABC"]),
        ("A", 500, ["A"]),
    ],
)
def test_symbols_share_an_island_where_strategies_are_few(
    symbols: str, strategies: int, expected: list[str]
) -> None:
    assert ["".join(island) for island in islands(symbols, strategies)] == expected
