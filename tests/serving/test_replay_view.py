from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.replay import show_replay
from storage.differences import Comparison, Difference

if TYPE_CHECKING:
    import pytest


@dataclass
class Change:
    what: str
    then: str
    now: str


@dataclass
class Summary:
    tables: tuple[Comparison, ...]
    changes: tuple[Change, ...] = ()
    night: str = "2026-03-11T0300-aaaa"
    kept: str | None = None
    timings: dict[str, float] = field(default_factory=lambda: {"search": 2.0, "luck": 3.0})

    @property
    def equal(self) -> bool:
        return all(table.equal for table in self.tables)


SAME = Comparison("trials", 1_200, 0, ())
OTHER = Comparison(
    "candidates", 5, 3, (Difference("candidates", "abc BTC-USDT", "score", "1.5", "1.25"),)
)


def shown(capsys: pytest.CaptureFixture[str], summary: Summary) -> str:
    show_replay(summary)
    return capsys.readouterr().out


def test_an_equal_night_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, Summary((SAME,)))
    assert "2026-03-11T0300-aaaa is equal: 1,200 rows compared" in said
    assert "took 5 s (search 2 s, luck 3 s)" in said


def test_differences_are_named_and_the_rest_counted(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, Summary((SAME, OTHER), kept="/desk/nights/x-replay"))
    assert "is not equal: 3 of 1,205 rows differ" in said
    for word in ("abc BTC-USDT", "score", "1.5", "1.25", "and 2 rows more", "/desk/nights/x-rep"):
        assert word in said
    assert "data, code and libraries are the same" in said


def test_what_changed_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    said = shown(capsys, Summary((OTHER,), (Change("code", "abc", "def"),)))
    assert said.index("the code is not what it was: abc then, def now") < said.index("not equal")
    assert "data, code and libraries are the same" not in said


def test_a_row_that_only_one_side_has_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    lost = Comparison("trials", 1, 1, (Difference("trials", "abc", "", "there", "no such row"),))
    assert "(all)" in shown(capsys, Summary((lost,)))
