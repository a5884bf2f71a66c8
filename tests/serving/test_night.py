from __future__ import annotations

import math
from dataclasses import make_dataclass

import polars as pl
import pytest

from core.errors import ContractBroken
from serving.night import above_luck, best, cost, finite, held, misses, winners
from tests.serving.nights import candidate, frame, luck, night, won


def test_candidates_come_by_rank_whatever_their_order() -> None:
    report = night([candidate(2), candidate(0), candidate(1)])
    assert report.candidates["rank"].to_list() == [1, 2, 3]
    top = best(report)
    assert top is not None
    assert top["candidate_id"] == f"{0:016x}"
    assert best(night([])) is None


def test_winners_are_the_promoted_with_the_best_score_first() -> None:
    report = night([won(0), candidate(1, verdict="held_back"), won(2), candidate(3)])
    assert winners(report)["candidate_id"].to_list() == [f"{0:016x}", f"{2:016x}"]
    assert held(report)["candidate_id"].to_list() == [f"{1:016x}"]


def test_above_luck_is_what_passed_both_kinds_of_worlds() -> None:
    report = night(
        [
            won(0),
            won(1, verdict="held_back"),
            won(2, verdict="permutation_explains", permutation_p=0.051),
            candidate(3, p_value=0.006, permutation_p=0.01),
            candidate(4, p_value=0.001, permutation_p=None),
        ],
        luck=luck(alpha=0.005, permutation_alpha=0.05),
    )
    assert above_luck(report) == 2


def test_the_nearest_misses_got_furthest_and_then_score_best() -> None:
    rows = [
        candidate(0, verdict="not_above_luck"),
        candidate(1, verdict="a_new_one"),
        candidate(2, verdict="permutation_explains"),
        candidate(3, verdict="held_back"),
        candidate(4, verdict="not_above_luck"),
        candidate(5, verdict="not_chosen"),
        won(6),
    ]
    names = [f"{n:016x}" for n in (5, 3, 2, 0, 4, 1)]
    assert misses(night(rows), 9)["candidate_id"].to_list() == names
    assert misses(night(rows), 2)["candidate_id"].to_list() == names[:2]


def test_worlds_are_counted_that_did_as_well_or_better() -> None:
    worlds = luck(mirrored=[1.0, 2.0, 3.0, -math.inf], permuted=[2.0])
    assert [worlds.as_good(score) for score in (0.5, 2.0, 3.1)] == [3, 2, 0]
    assert worlds.permuted_as_good(2.0) == 1
    assert finite(worlds.mirrored).tolist() == [1.0, 2.0, 3.0]


def test_costs_may_be_a_mapping_or_an_object() -> None:
    costs = make_dataclass("Costs", ["fee_bps", "slippage_bps"])(7, 2.5)
    assert cost(night(costs=costs), "fee_bps") == 7.0
    assert cost(night(costs=costs), "funding_bps") is None
    assert cost(night(costs={"fee_bps": 3}), "fee_bps") == 3.0


def test_a_frame_that_lacks_a_column_is_refused() -> None:
    with pytest.raises(ContractBroken, match=r"report's candidates.*verdict"):
        night(candidates=frame([candidate(0)]).drop("verdict"))


def test_a_frame_of_the_wrong_type_is_refused() -> None:
    wrong = frame([candidate(0)]).with_columns(score=pl.lit("much"))
    with pytest.raises(ContractBroken, match="report's candidates"):
        night(candidates=wrong)


def test_a_frame_without_columns_stands_for_no_rows() -> None:
    report = night(candidates=pl.DataFrame(), gates=pl.DataFrame())
    assert report.candidates.is_empty()
    assert report.gates.is_empty()
