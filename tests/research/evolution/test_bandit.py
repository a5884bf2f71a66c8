"""The bandit finds the operator that pays, goes on looking, and forgets what no longer holds."""

from __future__ import annotations

from collections import Counter

import numpy as np

from research.evolution.bandit import Arm, choose, learned

NAMES = ("dull", "good", "bad")


def played(chances: dict[str, float], rounds: int, seed: int, arms=None) -> tuple[Counter, tuple]:
    """Play rounds of 20 choices; return how often each was chosen in the last 10 rounds."""
    rng = np.random.default_rng(seed)
    arms = arms or tuple(Arm(name) for name in NAMES)
    last: Counter = Counter()
    for turn in range(rounds):
        chosen = choose(rng, arms, 20)
        arms = learned(arms, [(name, rng.random() < chances[name]) for name in chosen])
        last.update(chosen if turn >= rounds - 10 else [])
    return last, arms


def test_what_pays_is_chosen_most() -> None:
    for seed in range(10):
        last, _ = played({"dull": 0.1, "good": 0.4, "bad": 0.0}, 40, seed)
        assert last["good"] > 0.6 * last.total()


def test_nothing_is_given_up_for_good() -> None:
    last, _ = played({"dull": 0.1, "good": 0.9, "bad": 0.0}, 60, 1)
    assert min(last[name] for name in NAMES) > 0


def test_what_stops_paying_is_left_again() -> None:
    for seed in range(5):
        _, arms = played({"dull": 0.05, "good": 0.5, "bad": 0.0}, 40, seed)
        last, _ = played({"dull": 0.05, "good": 0.0, "bad": 0.4}, 60, seed + 100, arms)
        assert last["bad"] > last["good"]
        assert last["bad"] > last["dull"]


def test_the_same_numbers_make_the_same_choices() -> None:
    chances = {"dull": 0.1, "good": 0.4, "bad": 0.0}
    assert played(chances, 15, 3) == played(chances, 15, 3) != played(chances, 15, 4)


def test_all_tries_are_counted_and_recent_ones_weigh_more() -> None:
    arms = learned((Arm("good"), Arm("bad")), [("good", True), ("good", False), ("guest", True)])
    arms = learned(arms, [("good", True)])
    good, bad = arms
    assert (good.tried, good.paid, good.rate) == (3, 2, 2 / 3)
    assert good.recent_tried < 3
    assert good.recent_paid / good.recent_tried > 2 / 3
    assert (bad.tried, bad.rate) == (0, 0.0)
