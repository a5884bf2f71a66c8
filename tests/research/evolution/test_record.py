"""An island's record has a row for every trial, whether written in one go or brood by brood."""

from __future__ import annotations

import numpy as np
import pytest

from research.evolution.record import Record
from research.evolve import State, evolve
from research.strategy import Strategy
from tests.research.evolution.landscape import DAYS, landscape


@pytest.fixture(scope="module")
def state() -> State:
    states: list[State] = []
    islands = [["A"], ["B"], ["A", "B"]]
    evolve(
        landscape,
        seed=3,
        population=24,
        generations=2,
        islands=islands,
        on_generation=states.append,
    )
    return states[-1]


def of_island(state: State, name: str) -> tuple[list[int], list]:
    numbers = [i for i, trial in enumerate(state.trials) if trial.island == name]
    return numbers, [state.trials[i] for i in numbers]


def test_rows_hold_what_the_trials_say(state: State) -> None:
    numbers, trials = of_island(state, "A B")
    record = Record()
    rows = record.add(numbers, trials)
    assert rows.tolist() == list(range(len(trials)))
    assert record.ids == {trial.strategy_id for trial in trials}
    assert record.score.tolist() == [trial.score for trial in trials]
    assert record.objectives.tolist() == [list(trial.objectives) for trial in trials]
    assert record.ways.shape == (len(trials), DAYS + 1)
    expected = np.corrcoef([trial.daily_detrended for trial in trials[:5]])
    assert record.ways[:5] @ record.ways[:5].T == pytest.approx(expected)


@pytest.mark.parametrize("cut", [0, 1, 9])
def test_brood_by_brood_it_is_the_same_to_the_last_bit(state: State, cut: int) -> None:
    numbers, trials = of_island(state, "A")
    whole, parted = Record(), Record()
    whole.add(numbers, trials)
    first = parted.add(numbers[:cut], trials[:cut])
    second = parted.add(numbers[cut:], trials[cut:])
    assert [*first, *second] == list(range(len(trials)))
    for name in ("score", "objectives", "ways"):
        assert getattr(parted, name).tobytes() == getattr(whole, name).tobytes()


def test_numbers_and_rows_name_the_same_trials(state: State) -> None:
    numbers, trials = of_island(state, "B")
    record = Record()
    record.add(numbers, trials)
    rows = record.rows(numbers[3:7])
    assert rows.tolist() == [3, 4, 5, 6]
    assert record.numbers(rows) == tuple(numbers[3:7])
    assert record.rows(()).size == 0


def test_a_strategy_is_the_one_given_or_read_from_its_text(state: State) -> None:
    numbers, trials = of_island(state, "A")
    given = Strategy.parse(trials[1].text)
    record = Record()
    record.add(numbers[:1], trials[:1])
    record.add(numbers[1:2], trials[1:2], [given])
    assert record.strategy(0).text == trials[0].text
    assert record.strategy(0) is record.strategy(0)
    assert record.strategy(1) is given
