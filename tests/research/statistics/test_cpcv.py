"""Splits of combinatorial purged cross-validation: how many, and which days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from research.statistics.cpcv import path_count, purged_splits, split_count

if TYPE_CHECKING:
    from tests.research.statistics.conftest import Oracles


@pytest.mark.parametrize(
    ("groups", "tests", "splits", "paths"),
    [(6, 2, 15, 5), (10, 2, 45, 9), (10, 3, 120, 36), (16, 8, 12870, 6435)],
)
def test_there_are_as_many_splits_and_paths_as_in_the_book(
    groups: int, tests: int, splits: int, paths: int
) -> None:
    assert split_count(groups, tests) == splits
    assert path_count(groups, tests) == paths
    assert sum(1 for _ in purged_splits(groups, groups, tests)) == splits


def test_the_first_split_of_sixty_days() -> None:
    first = next(purged_splits(60, 6, 2, purge=3, embargo=2))
    assert [part.tolist() for part in first.tests] == [[*range(10)], [*range(10, 20)]]
    assert first.train.tolist() == [*range(25, 60)]


def test_days_are_cut_on_both_sides_of_a_group() -> None:
    splits = list(purged_splits(60, 6, 2, purge=3, embargo=2))
    apart = splits[6]  # groups 1 and 3
    assert [part[0] for part in apart.tests] == [10, 30]
    assert apart.train.tolist() == [*range(7), *range(25, 27), *range(45, 60)]


def test_the_splits_on_file_are_reproduced(oracles: Oracles) -> None:
    known = oracles.values("fdr_cpcv_neff_haircut.json")["cpcv"]
    for text in ("6,2", "10,2", "10,3", "16,8"):
        groups, tests = map(int, text.split(","))
        assert split_count(groups, tests) == known[text]["splits"]
        assert path_count(groups, tests) == known[text]["paths"]
    case = known["skfolio_6_2_purge3_embargo2"]
    splits = list(purged_splits(60, 6, 2, purge=3, embargo=2))
    assert len(splits) == case["n_splits"] == len(case["train_equal_own"])
    assert path_count(6, 2) == case["n_test_paths"]
    assert splits[0].train.tolist() == case["first_train"]
    assert [part.tolist() for part in splits[0].tests] == case["first_test"]


@given(
    periods=st.integers(8, 60),
    groups=st.integers(2, 8),
    tests=st.integers(1, 7),
    purge=st.integers(0, 6),
    embargo=st.integers(0, 6),
)
def test_no_day_of_training_is_near_one_of_a_test(
    periods: int, groups: int, tests: int, purge: int, embargo: int
) -> None:
    if tests >= groups:
        tests = groups - 1
    seen = np.zeros(periods, np.int64)
    for split in purged_splits(periods, groups, tests, purge=purge, embargo=embargo):
        for part in split.tests:
            seen[part] += 1
            before, after = part[0] - split.train, split.train - part[-1]
            outside = np.where(before > 0, before > purge, after > purge + embargo)
            assert outside.all()
    # Every day is held out equally often, which is what makes whole paths of them.
    assert set(seen) == {split_count(groups, tests) * tests // groups}


@pytest.mark.parametrize(
    ("periods", "groups", "tests", "purge"),
    [(10, 5, 5, 0), (10, 5, 0, 0), (4, 5, 2, 0), (9, 3, 1, -1)],
)
def test_splits_that_cannot_be_are_refused(
    periods: int, groups: int, tests: int, purge: int
) -> None:
    with pytest.raises(InvalidInput):
        list(purged_splits(periods, groups, tests, purge=purge))
