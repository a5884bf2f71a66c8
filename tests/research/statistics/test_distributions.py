"""Student's t and the normal tail beside scipy, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.distributions import normal_tail, student_quantile, student_two_sided


def test_students_t_by_hand() -> None:
    # One degree is Cauchy's distribution, two have a closed form.
    assert student_two_sided(1.0, 1) == pytest.approx(0.5, abs=1e-14)
    assert student_two_sided(math.sqrt(2.0), 2) == pytest.approx(1 - 1 / math.sqrt(2), abs=1e-14)
    assert student_two_sided(0.0, 7) == 1.0


def test_students_t_from_the_tables() -> None:
    assert student_quantile(0.05, 10) == pytest.approx(2.228138852, abs=1e-9)
    assert student_quantile(0.01, 119) == pytest.approx(2.617776, abs=1e-6)


@given(t=st.floats(0, 40), freedom=st.integers(1, 2000))
def test_students_t_agrees_with_scipy(t: float, freedom: int) -> None:
    from scipy.stats import t as student

    expected = 2 * student.sf(t, freedom)
    assert student_two_sided(t, freedom) == pytest.approx(expected, rel=1e-10, abs=1e-300)
    assert student_two_sided(-t, freedom) == student_two_sided(t, freedom)


@given(p=st.floats(1e-12, 1.0), freedom=st.integers(1, 2000))
def test_the_quantile_undoes_the_probability(p: float, freedom: int) -> None:
    assert student_two_sided(student_quantile(p, freedom), freedom) == pytest.approx(p, rel=1e-9)


def test_the_normal_tail_keeps_its_digits_far_out() -> None:
    found = normal_tail(np.array([[0.0, 1.959963984540054], [-3.0, 30.0]]))
    assert found.shape == (2, 2)
    assert found.ravel() == pytest.approx([0.5, 0.025, 0.9986501019683699, 4.906713927e-198])


@pytest.mark.parametrize(
    "call",
    [
        lambda: student_two_sided(1.0, 0),
        lambda: student_quantile(0.0, 5),
        lambda: student_quantile(1.5, 5),
    ],
)
def test_a_distribution_asked_for_nonsense_refuses(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
