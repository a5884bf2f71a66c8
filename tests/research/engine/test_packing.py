"""Booleans to bits, whatever their layout, their number and how many of them are set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from research.engine import packing
from research.engine.packing import eight_nb, pack_nb, rows_of, scatter_nb, turn_nb

SHAPES = st.tuples(st.integers(1, 150), st.integers(1, 30))


def unpacked(rows: np.ndarray, bars: int, strategies: int) -> np.ndarray:
    bits = np.unpackbits(rows.view(np.uint8), bitorder="little").reshape(strategies, -1)
    assert not bits[:, bars:].any()
    return bits[:, :bars].astype(np.bool_)


def drawn(bars: int, strategies: int, share: float) -> np.ndarray:
    return np.random.default_rng([bars, strategies]).random((bars, strategies)) < share


@pytest.mark.parametrize("bars", [1, 7, 8, 63, 64, 65, 130])
@pytest.mark.parametrize("strategies", [1, 3, 7, 8, 9, 15, 16, 64, 70])
@pytest.mark.parametrize("share", [0.001, 0.4])
def test_a_matrix_becomes_rows_whatever_its_layout(
    bars: int, strategies: int, share: float
) -> None:
    matrix = drawn(bars, strategies, share)
    twice = np.repeat(np.repeat(matrix, 2, axis=0), 2, axis=1)
    for given_ in (matrix, np.asfortranarray(matrix), twice[::2, ::2], matrix[::-1][::-1]):
        given_.flags.writeable = False
        assert (unpacked(rows_of(given_), bars, strategies) == matrix.T).all()


@given(matrix=SHAPES.flatmap(lambda shape: arrays(np.bool_, shape)))
def test_any_matrix_becomes_its_rows(matrix: np.ndarray) -> None:
    assert (unpacked(rows_of(matrix), *matrix.shape) == matrix.T).all()


@pytest.mark.parametrize(("share", "kernel"), [(0.001, "scatter_nb"), (0.3, "turn_nb")])
def test_how_many_are_set_decides_which_way_is_taken(
    share: float, kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, kernel, lambda *_: None)
    assert not rows_of(drawn(640, 20, share)).any()


def test_no_strategies_have_no_rows() -> None:
    for order in ("C", "F"):
        assert rows_of(np.zeros((9, 0), np.bool_, order=order)).size == 0


def test_what_was_given_is_neither_changed_nor_locked() -> None:
    for order in ("C", "F"):
        matrix = np.array(drawn(200, 12, 0.1), order=order)
        before = matrix.copy()
        rows = rows_of(matrix)
        assert (matrix == before).all()
        assert matrix.flags.writeable
        assert rows.flags.writeable


def test_packing_is_the_same_interpreted() -> None:
    matrix = drawn(75, 11, 0.5).view(np.uint8).ravel()
    assert eight_nb(matrix, np.uint64(3)) == eight_nb.py_func(matrix, np.uint64(3))
    for shape in ((1, 75 * 11), (11, 75)):
        rows = np.zeros((2, shape[0], -(-shape[1] // 64) * 8), np.uint8)
        pack_nb(matrix.reshape(shape), rows[0])
        with np.errstate(over="ignore"):  # it multiplies on purpose beyond 64 bits
            pack_nb.py_func(matrix.reshape(shape), rows[1])
        assert rows[0].any()
        assert rows[0].tobytes() == rows[1].tobytes()


def test_bringing_bits_to_their_rows_is_the_same_interpreted() -> None:
    matrix = drawn(75, 11, 0.1)
    flags = matrix.view(np.uint8).ravel()
    packed, rows = np.zeros(22, np.uint64), np.zeros((4, 22), np.uint64)
    pack_nb(flags[None], packed.view(np.uint8)[None])
    with np.errstate(over="ignore"):
        scatter_nb(packed, 11, rows[0])
        scatter_nb.py_func(packed, 11, rows[1])
    turn_nb(flags, 75, 11, rows[2].view(np.uint8))
    turn_nb.py_func(flags, 75, 11, rows[3].view(np.uint8))
    for each in rows:
        assert (unpacked(each, 75, 11) == matrix.T).all()
