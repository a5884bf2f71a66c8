from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets import CANDIDATES, TIME, Dataset
from core.errors import ContractBroken
from storage.differences import Comparison, Difference, compare

PETS = Dataset(
    name="pets",
    description="Rows for these tests.",
    columns={
        "night": pl.String(),
        "name": pl.String(),
        "weight": pl.Float64(),
        "meals": pl.List(pl.Float64()),
        "seen": TIME,
        "source": pl.String(),
        "ingested_at": TIME,
    },
    key=("night", "name"),
    time_column="seen",
)
VALUES = ("weight", "meals")


def pets(*rows: tuple[str, float | None, list[float] | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"night": "n", "name": name, "weight": weight, "meals": meals}
            for name, weight, meals in rows
        ],
        schema={name: PETS.columns[name] for name in ("night", "name", *VALUES)},
    )


def compared(stored: pl.DataFrame, again: pl.DataFrame, most: int = 5) -> Comparison:
    return compare(PETS, stored, again, columns=VALUES, most=most)


def test_equal_rows_are_equal_in_any_order() -> None:
    stored = pets(("cat", 4.0, [1.0, 2.0]), ("dog", None, None), ("eel", math.nan, [math.nan]))
    found = compared(stored, stored.reverse())
    assert found == Comparison("pets", 3, 0, ())
    assert found.equal


def test_the_last_bit_counts() -> None:
    found = compared(pets(("cat", 0.3, [])), pets(("cat", 0.1 + 0.2, [])))
    assert found.first == (Difference("pets", "cat", "weight", "0.3", "0.30000000000000004"),)
    assert not found.equal


def test_a_row_that_is_missing_and_one_too_many_are_named() -> None:
    found = compared(pets(("cat", 4.0, [])), pets(("dog", 4.0, [])))
    assert (found.rows, found.differing) == (1, 2)
    assert found.first == (
        Difference("pets", "cat", "", "there", "no such row"),
        Difference("pets", "dog", "", "no such row", "there"),
    )


def test_of_a_list_the_first_item_that_differs_is_named() -> None:
    found = compared(pets(("cat", 4.0, [1.0, 2.0, 3.0])), pets(("cat", 4.0, [1.0, 5.0, 6.0])))
    assert found.first == (Difference("pets", "cat", "meals", "[1] 2.0", "[1] 5.0"),)


def test_lists_of_other_lengths_say_how_long_they_are() -> None:
    found = compared(pets(("cat", 4.0, [1.0])), pets(("cat", 4.0, [1.0, 5.0])))
    assert found.first == (Difference("pets", "cat", "meals", "1 values", "2 values"),)


@pytest.mark.parametrize(("one", "other"), [(None, 1.0), (1.0, None), (None, math.nan)])
def test_nothing_is_not_a_value(one: float | None, other: float | None) -> None:
    found = compared(pets(("cat", one, [])), pets(("cat", other, [])))
    assert [(d.column, d.stored, d.again) for d in found.first] == [
        ("weight", repr(one), repr(other))
    ]


def test_all_are_counted_and_the_first_are_named() -> None:
    stored = pets(*((f"{number:03}", 1.0, []) for number in range(40)))
    found = compared(stored, stored.with_columns(weight=pl.lit(2.0)), most=3)
    assert found.differing == 40
    assert [difference.row for difference in found.first] == ["000", "001", "002"]


def test_columns_that_are_not_asked_for_do_not_count() -> None:
    one, other = pets(("cat", 4.0, [1.0])), pets(("cat", 5.0, [1.0]))
    assert compare(PETS, one, other, columns=["meals"]).equal
    assert compare(PETS, one, other, columns=[]).equal


def test_long_texts_are_cut() -> None:
    column = pl.DataFrame({name: ["n"] for name in CANDIDATES.key} | {"text": ["a" * 500]})
    found = compare(
        CANDIDATES, column, column.with_columns(text=pl.lit("b" * 500)), columns=["text"]
    )
    assert found.first[0].stored == "a" * 80 + "…"


def test_a_key_that_comes_twice_is_refused() -> None:
    twice = pets(("cat", 4.0, []), ("cat", 5.0, []))
    with pytest.raises(ContractBroken, match="each night, name once"):
        compared(twice, twice)


def test_a_missing_column_is_refused() -> None:
    rows = pets(("cat", 4.0, []))
    with pytest.raises(ContractBroken, match="weight"):
        compared(rows.drop("weight"), rows)


ROWS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(
        st.one_of(st.none(), st.sampled_from([0.0, 1.0, 1.5])),
        st.one_of(st.none(), st.lists(st.sampled_from([0.0, 1.0]), max_size=2)),
    ),
)


@given(ROWS, ROWS)
def test_it_counts_as_a_comparison_row_by_row_would(one: dict, other: dict) -> None:
    stored, again = (
        pets(*((name, *values) for name, values in rows.items())) for rows in (one, other)
    )
    expected = sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())
    found = compared(stored, again, most=100)
    assert (found.rows, found.differing) == (len(one), expected)
    assert {difference.row for difference in found.first} == {
        name for name in one.keys() | other.keys() if one.get(name) != other.get(name)
    }
