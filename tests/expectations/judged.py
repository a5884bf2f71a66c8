"""Lists of rows that break one rule each, and of rows that just do not, judged in one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from core.datasets import dataset_named
from expectations.gate import gate
from expectations.suites import SUITES
from tests.expectations.rows import NOW, frame

if TYPE_CHECKING:
    from expectations.verdict import Verdict

Changes = Mapping[str, Any]


class Cases(NamedTuple):
    """Of one dataset: how a sound row is made, and what to change about it.

    `make(number)` gives rows of different keys.
    """

    make: Callable[[int], dict[str, Any]]
    broken: Sequence[tuple[str, Changes]]
    sound: Sequence[Changes]
    warned: Sequence[tuple[str, Changes]] = ()


def judge(name: str, cases: Cases) -> Verdict:
    """Judge both lists of a dataset in one batch, among enough others that it passes."""
    make, broken, sound, _ = cases
    rows = [make(number) for number in range(10 * len(broken))]
    rows += [make(7_000 + at) | {"source": f"sound {at}", **c} for at, c in enumerate(sound)]
    rows += [make(8_000 + at) | {"source": f"broken {at}", **c} for at, (_, c) in enumerate(broken)]
    return gate(name, frame(dataset_named(name), rows), now=NOW)


def check(name: str, cases: Cases, verdict: Verdict) -> None:
    """Check that each row met the fate that its list tells, and that no rule was left out."""
    found = dict(verdict.quarantined.select("source", "reasons").iter_rows())
    expected = {f"broken {at}": [code] for at, (code, _) in enumerate(cases.broken)}
    assert found == expected
    assert set(verdict.accepted["source"]) >= {f"sound {at}" for at in range(len(cases.sound))}
    assert verdict.warnings == {}
    rules = SUITES[name].all_rules
    alone = {rule.code for rule in rules if rule.severity == "critical" and not rule.beside}
    assert alone == {code for code, _ in cases.broken}
    assert {rule.code for rule in rules if rule.severity == "warning"} == {
        code for code, _ in cases.warned
    }


def check_warnings(name: str, cases: Cases) -> None:
    """Check that what is only odd is accepted with its warning."""
    for code, change in cases.warned:
        rows = [cases.make(number) for number in range(5)]
        verdict = gate(
            name, frame(dataset_named(name), [*rows, cases.make(9) | dict(change)]), now=NOW
        )
        assert verdict.accepted.height == 6
        assert verdict.warnings == {code: 1}


def check_doubles(name: str, cases: Cases) -> None:
    """Check that the first row of a key is kept."""
    rows = [cases.make(number) for number in range(20)] + [cases.make(3) | {"source": "again"}]
    verdict = gate(name, frame(dataset_named(name), rows), now=NOW)
    assert verdict.quarantined["source"].to_list() == ["again"]
    assert verdict.reasons == {"duplicate": 1}
