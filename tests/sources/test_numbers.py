"""Numbers as text."""

from __future__ import annotations

import math
import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from sources.numbers import float_columns, floats, integers


@given(st.lists(st.floats(), min_size=1))
def test_every_float_that_python_writes_reads_back_exactly(values: list[float]) -> None:
    read = floats(pl.Series("close", [repr(v) for v in values]), InvalidInput)
    assert [repr(v) for v in read] == [repr(v) for v in values]


@pytest.mark.parametrize(
    ("text", "value"),
    [("NaN", math.nan), ("-Infinity", -math.inf), ("0", 0.0), ("-3.5", -3.5), ("+1", 1.0),
     (".5", 0.5), ("5.", 5.0), ("1e5", 1e5), ("1e999", math.inf)],
)  # fmt: skip
def test_what_is_a_number_is_read_even_where_it_is_no_price(text: str, value: float) -> None:
    assert floats(pl.Series("close", [text]), InvalidInput).to_list() == pytest.approx(
        [value], nan_ok=True
    )


WEIRD = ["1_000", "\uff11\uff12", "\u0661\u0662", " 1", "1 ", "1\n", "", "1,5", "0x10", "--1", "1e",
         "n a n", "NAN",
         "infinit", "null", "None", "$1", "1.2.3", "1e99999", "\x00", "1\u00a0000"]  # fmt: skip


@pytest.mark.parametrize("text", WEIRD)
def test_what_is_no_number_is_refused_with_its_row(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"row 3, close: expected a number .* was "):
        floats(pl.Series("close", ["1", "2", text, "x"]), InvalidInput)


@pytest.mark.parametrize("text", [*WEIRD, "1.0", "NaN", "1e5", "9" * 19, "1" * 20])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="row 9, trades: expected a whole number"):
        integers(pl.Series("trades", ["+7", text]), InvalidInput, first_row=8)


@given(st.lists(st.integers(-(9 * 10**18 - 1), 9 * 10**18 - 1), min_size=1))
def test_whole_numbers_read_back_exactly(values: list[int]) -> None:
    assert integers(pl.Series("t", [str(v) for v in values]), InvalidInput).to_list() == values


def test_an_error_shows_only_the_start_of_a_long_cell() -> None:
    with pytest.raises(InvalidInput) as caught:
        floats(pl.Series("close", ["x" * 10_000]), InvalidInput)
    assert len(str(caught.value)) < 200


def test_nulls_stay_null() -> None:
    assert floats(pl.Series("close", [None, "1"]), InvalidInput).to_list() == [None, 1.0]


@given(st.lists(st.floats().map(repr) | st.sampled_from(["+1", ".5", "5.", "x"]), min_size=1))
def test_columns_together_read_as_each_alone(texts: list[str]) -> None:
    frame = pl.DataFrame({"open": ["1"] * len(texts), "close": texts})
    try:
        alone = floats(frame["close"], InvalidInput)
    except InvalidInput as error:
        with pytest.raises(InvalidInput, match=re.escape(str(error))):
            float_columns(frame, InvalidInput)
        return
    together = float_columns(frame, InvalidInput)
    assert [repr(v) for v in together["close"]] == [repr(v) for v in alone]
    assert together["open"].to_list() == [1.0] * len(texts)
