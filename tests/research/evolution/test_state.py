"""A search written to bytes and read again is the same search."""

from __future__ import annotations

import msgspec
import pytest

from core.errors import InvalidInput
from research.evolution.state import State, Terms
from research.evolve import evolve
from research.metrics import sharpe
from tests.research.evolution.landscape import DAYS, landscape

GOOD = Terms(
    seed=1,
    population=20,
    islands=(("A",), ("B", "C")),
    elite=0.3,
    clone_correlation=0.95,
    min_trades=20,
    patience=5,
    migrate_every=3,
    timeframes=("15m",),
)


def a_state() -> State:
    states: list[State] = []
    evolve(
        landscape,
        seed=3,
        population=16,
        generations=2,
        islands=GOOD.islands,
        on_generation=states.append,
    )
    return states[-1]


def test_bytes_and_back_are_the_same_state() -> None:
    state = a_state()
    assert State.from_bytes(state.to_bytes()) == state
    assert State.from_bytes(state.to_bytes()).to_bytes() == state.to_bytes()


def test_a_trial_knows_its_daily_returns_by_symbol() -> None:
    shapes = {trial.island: trial.daily_returns.shape for trial in a_state().trials}
    assert shapes == {"A": (1, DAYS), "B C": (2, DAYS)}


def test_a_trial_knows_what_it_was_judged_by() -> None:
    for trial in a_state().trials:
        assert trial.daily_detrended.shape == (DAYS,)
        assert sharpe(trial.daily_detrended) == pytest.approx(trial.sharpe)


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x80", a_state().to_bytes()[:-9]])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="expected the bytes of a search"):
        State.from_bytes(data)


def test_another_version_is_refused() -> None:
    later = msgspec.structs.replace(a_state(), version=99)
    with pytest.raises(InvalidInput, match="version 2, was 99"):
        State.from_bytes(later.to_bytes())


def test_an_island_is_called_after_its_symbols() -> None:
    assert [GOOD.name(island) for island in range(2)] == ["A", "B C"]


def test_places_are_shared_out_to_the_last() -> None:
    terms = msgspec.structs.replace(GOOD, population=23, islands=(("A",), ("B",), ("C",)))
    assert [terms.size(island) for island in range(3)] == [8, 8, 7]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": -1}, "a seed from 0, was -1"),
        ({"islands": ()}, "at least one symbol"),
        ({"islands": (("A",), ())}, "at least one symbol"),
        ({"islands": (("B", "A"), ("A", "B"))}, "islands that differ"),
        ({"islands": (("A", "A"), ("B",))}, "no symbol twice"),
        ({"population": 7}, "a population of at least 8, was 7"),
        ({"elite": 0.0}, "an elite above 0"),
        ({"clone_correlation": 1.1}, "a bound above 0"),
        ({"min_trades": -1}, "from 0, was -1"),
        ({"patience": 0}, "a patience from 1"),
        ({"migrate_every": 0}, "1 or more generations"),
        ({"timeframes": ()}, "at least one timeframe"),
    ],
)
def test_terms_that_cannot_be_searched_with_are_refused(changed: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        msgspec.structs.replace(GOOD, **changed)
