"""The gates that are compared: each says of a night whether it would promote anything."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.integrity.figures import Share, share
from benchmarks.integrity.folklore import GATES
from benchmarks.integrity.kinds import EDGES, NOISE, Kind
from benchmarks.integrity.nights import ALPHAS, Night

if TYPE_CHECKING:
    from collections.abc import Callable

Nights = dict[str, list[Night]]  # by kind


class Gate(NamedTuple):
    """A way to decide; `alpha` is how often luck may get through, where a gate promises that."""

    name: str
    lets: Callable[[Night], bool]
    alpha: float | None = None

    def share(self, nights: list[Night]) -> Share:
        """Return on how many nights it promotes something."""
        return share([self.lets(one) for one in nights])


class Verdict(NamedTuple):
    """A share of false nights whose whole interval lies above what the gate promises."""

    gate: str
    kind: str
    found: Share


def _promotes(night: Night, *, alpha: float, alone: bool) -> bool:
    return night.promotes(alpha, alone=alone)


def _passes(night: Night, *, name: str) -> bool:
    return night.gates[name]


FACTORY = [
    Gate(
        f"null factory, p <= {alpha:g}" + (", mirrored worlds alone" if alone else ""),
        partial(_promotes, alpha=alpha, alone=alone),
        alpha,
    )
    for alpha in ALPHAS
    for alone in (False, True)
]
SHORT = [f"{alpha:g}, {what}" for alpha in ALPHAS for what in ("both", "mirrored")]
FOLKLORE = [Gate(title, partial(_passes, name=name)) for name, title in GATES.items()]


def noise(nights: Nights) -> list[Kind]:
    """Return the kinds with nothing to find of which there are nights."""
    return [kind for kind in NOISE if nights.get(kind.name)]


def edges(nights: Nights) -> list[Kind]:
    """Return the kinds with an edge of which there are nights."""
    return [kind for kind in EDGES if nights.get(kind.name)]


def too_many(nights: Nights) -> list[Verdict]:
    """Return where luck gets through more often than it may."""
    found = [
        (gate, kind, gate.share(nights[kind.name])) for gate in FACTORY for kind in noise(nights)
    ]
    return [
        Verdict(gate.name, kind.title, of)
        for gate, kind, of in found
        if gate.alpha is not None and of.interval()[0] > gate.alpha
    ]
