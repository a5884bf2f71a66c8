"""Adjusted p-values: the table of Benjamini and Hochberg (1995), other libraries, and laws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.multiple import (
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    holm,
    null_share,
    storey,
)

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles

# Of 15 hypotheses about a treatment after heart attacks, as printed in the paper of 1995.
HIGH = (0.324, 0.4262, 0.5719, 0.6528, 0.759, 1.0)
TABLE = np.array([1, 4, 19, 95, 201, 278, 298, 344, 459]) / 10_000
TABLE = np.concatenate((TABLE, HIGH))
SOME = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def rejected(adjusted: np.ndarray) -> int:
    return int((adjusted <= 0.05).sum())


def test_the_table_of_1995_rejects_four_by_rate_and_three_by_family() -> None:
    assert rejected(benjamini_hochberg(TABLE)) == 4
    assert [rejected(f(TABLE)) for f in (bonferroni, holm, benjamini_yekutieli)] == [3, 3, 3]
    assert benjamini_hochberg(TABLE)[3] == pytest.approx(0.035625, abs=1e-12)
    assert benjamini_yekutieli(TABLE)[0] == pytest.approx(0.004977343489843491, abs=1e-12)
    assert null_share(TABLE) == pytest.approx(2 / 3, abs=1e-12)
    assert storey(TABLE)[4] == pytest.approx(0.0402, abs=1e-12)


def test_every_adjusted_value_on_file_is_reproduced(oracles: Oracles) -> None:
    known = oracles.values("fdr_cpcv_neff_haircut.json")["bh1995"]
    p = known["p"]
    for name in ("bh_own", "bh_scipy", "bh_sm"):
        assert benjamini_hochberg(p) == pytest.approx(known[name], abs=1e-12)
    for name in ("by_own", "by_scipy"):
        assert benjamini_yekutieli(p) == pytest.approx(known[name], abs=1e-12)
    assert null_share(p) == pytest.approx(known["storey_pi0_lambda05"], abs=1e-12)
    assert storey(p) == pytest.approx(known["storey_q"], abs=1e-12)
    for name, method in {
        "n_reject_bh": benjamini_hochberg,
        "n_reject_bonf": bonferroni,
        "n_reject_holm": holm,
        "n_reject_by": benjamini_yekutieli,
    }.items():
        assert rejected(method(p)) == known[name]


@pytest.mark.parametrize(
    ("method", "name"),
    [
        (bonferroni, "bonferroni"),
        (holm, "holm"),
        (benjamini_hochberg, "fdr_bh"),
        (benjamini_yekutieli, "fdr_by"),
    ],
)
def test_adjusted_values_agree_with_statsmodels(method: object, name: str) -> None:
    from statsmodels.stats.multitest import multipletests

    for seed in range(20):
        p = np.round(np.random.default_rng(seed).random(30) ** 3, 2)  # with ties
        expected = multipletests(p, method=name)[1]
        assert method(p) == pytest.approx(expected, abs=1e-12)  # type: ignore[operator]


@given(p=SOME)
def test_stricter_methods_never_reject_more(p: list[float]) -> None:
    assert np.all(np.asarray(p) <= benjamini_hochberg(p) + 1e-15)
    assert np.all(benjamini_hochberg(p) <= benjamini_yekutieli(p) + 1e-15)
    assert np.all(benjamini_hochberg(p) <= holm(p) + 1e-15)
    assert np.all(holm(p) <= bonferroni(p) + 1e-15)
    assert np.all(storey(p) <= benjamini_hochberg(p))
    assert bonferroni(p).max() <= 1.0


@given(p=SOME, seed=st.integers(0, 100))
def test_the_order_of_the_tests_does_not_matter(p: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(p))
    for method in (bonferroni, holm, benjamini_hochberg, benjamini_yekutieli, storey):
        assert method(np.array(p)[order]) == pytest.approx(method(p)[order], abs=1e-15)


@pytest.mark.parametrize(
    "call",
    [
        lambda: holm([]),
        lambda: bonferroni([0.5, 1.5]),
        lambda: benjamini_hochberg([float("nan")]),
        lambda: null_share([0.5], cut=1.0),
    ],
)
def test_what_is_no_p_value_is_refused(call: object) -> None:
    with pytest.raises(InvalidInput):
        call()  # type: ignore[operator]
