"""What came out, as tables: printed as they are made, and written to INTEGRITY.md."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.integrity import words
from benchmarks.integrity.figures import Share, share, uniformity
from benchmarks.integrity.fresh import MARKETS, ratio
from benchmarks.integrity.gates import FACTORY, FOLKLORE, SHORT, edges, noise, too_many
from benchmarks.integrity.leaks import LEAKS
from benchmarks.integrity.markets import RULE
from benchmarks.integrity.nights import ALPHAS
from benchmarks.report import Section
from research.factory import ALARM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.integrity.fresh import Earned
    from benchmarks.integrity.gates import Nights
    from benchmarks.integrity.kinds import Kind
    from benchmarks.integrity.leaks import Leaked
    from benchmarks.integrity.nights import Night, Winner


def false_nights(nights: Nights) -> Section:
    """Tell how often nights promote something where there is nothing."""
    section = Section("Nights with nothing to find", words.FALSE)
    groups = _groups(nights)
    rows = [[title, str(len(ones)), *_intervals(ones)] for title, ones in groups.items()]
    section.table(["market", "nights", *SHORT], rows, _about(noise(nights)))
    every = groups["all"]
    for gate in FACTORY[::2]:
        of = gate.share(every)
        section.short.append(
            f"p <= {gate.alpha:g}: {of.hits} of {of.of:,} nights with nothing to find promoted "
            f"something, {_with_interval(of)}"
        )
    above = too_many(nights)
    for one in above:
        section.short.append(
            f"ABOVE ITS LEVEL: {one.gate}, {one.kind}: {_with_interval(one.found)}"
        )
    if not above:
        section.short.append("no share of false nights lies above its level")
    return section


def uniform(nights: Nights) -> Section:
    """Test whether the p-values of nights with nothing to find are as likely everywhere."""
    section = Section("Are the p-values uniform?", words.UNIFORM)
    rows = []
    for title, ones in _groups(nights).items():
        values = [one.uniform for one in ones]
        distance, p = uniformity(values)
        tenths = np.histogram(values, bins=10, range=(0.0, 1.0))[0]
        figures = [f"{np.mean(values):.3f}", f"{distance:.3f}", f"{p:.3f}"]
        rows.append([title, str(len(values)), *figures, " ".join(map(str, tenths))])
    section.table(["market", "nights", "mean p", "D", "p of D", "nights by tenth of p"], rows)
    section.short.append(f"p-values of these nights against uniform ones: p = {rows[-1][4]}")
    return section


def power(nights: Nights, earned: Mapping[str, Earned], days: int) -> Section:
    """Tell how often an edge is found, and what the found ones earn afterwards."""
    fresh = MARKETS * days
    section = Section("Nights with an edge", words.POWER.format(days=fresh, rule=RULE))
    kinds = edges(nights)
    rows = []
    for kind in kinds:
        ones, strength = nights[kind.name], f"{_strength(earned[kind.name]):.1f}"
        rows.append([kind.title, strength, str(len(ones)), *_intervals(ones)])
        found = (_percent(gate.share(ones)) for gate in FACTORY[::2])
        shares = ", ".join(f"{one} at {at:g}" for one, at in zip(found, ALPHAS, strict=True))
        section.short.append(f"an edge of net Sharpe {strength} is found on {shares} of nights")
    section.table(["market", "rule's Sharpe", "nights", *SHORT], rows, _about(kinds))
    rows = [
        [kind.title, f"{alpha:g}", *_after(nights[kind.name], earned[kind.name], at)]
        for kind in kinds
        for at, alpha in enumerate(ALPHAS)
    ]
    header = ["market", "alpha", "nights", "score", "shrunk", "score after", "net after", "net > 0"]
    section.table(header, rows, words.AFTER.format(days=fresh))
    return section


def beside_folklore(nights: Nights, earned: Mapping[str, Earned]) -> Section:
    """Set the gate beside those that others go by, on the same nights."""
    section = Section("The same nights by other gates", words.OTHERS)
    header = [kind.title for kind in noise(nights)]
    header += [f"{kind.title} ({_strength(earned[kind.name]):.1f})" for kind in edges(nights)]
    kinds = [*noise(nights), *edges(nights)]
    rows = [
        [gate.name, *(_percent(gate.share(nights[kind.name])) for kind in kinds)]
        for gate in (*FACTORY, *FOLKLORE)
    ]
    section.table(["gate", *header], rows)
    return section


def alarm(leaked: Sequence[Leaked], nights: Nights) -> Section:
    """Tell which leaks set off the alarm."""
    section = Section("The alarm", words.ALARM.format(alarm=ALARM))
    rows = []
    for name, (title, _) in LEAKS.items():
        cells = []
        for free in (False, True):
            ones = [one for one in leaked if one.leak == name and one.free is free]
            rung = share([one.alarm for one in ones])
            cells += [
                f"{np.mean([one.over_luck for one in ones]):.2f}",
                f"{rung.hits} of {rung.of}",
            ]
        rows.append([title, *cells])
        section.short.append(f"alarm, {title}: {cells[1]} nights, without costs {cells[3]}")
    if noise(nights):
        honest = _groups(nights)["all"]
        rung = share([one.alarm for one in honest])
        over = f"{np.mean([one.over_luck for one in honest]):.2f}"
        rows.append(["no leak, the nights above", over, f"{rung.hits} of {rung.of:,}", "", ""])
    header = ["engine", "best over luck", "alarm", "without costs", "alarm"]
    section.table(header, rows, words.COSTLESS)
    return section


def write(path: Path, about: Sequence[str], sections: Sequence[Section]) -> None:
    """Write the page."""
    short = _listed([line for section in sections for line in section.short])
    parts = ["# Integrity", "Made by `make integrity`; do not edit.", _listed(about)]
    path.write_text("\n\n".join([*parts, "## In short", short, *map(str, sections)]) + "\n")


def _groups(nights: Nights) -> dict[str, list[Night]]:
    """Return the nights with nothing to find, by kind and all together."""
    groups = {kind.title: nights[kind.name] for kind in noise(nights)}
    return groups | {"all": list(chain.from_iterable(groups.values()))}


def _strength(earned: Earned) -> float:
    return ratio(earned.net, [RULE])


def _after(nights: Sequence[Night], earned: Earned, at: int) -> list[str]:
    """Return what the best of the nights that promoted it earned on fresh days."""
    chosen = [one.winner for one in nights if one.winner and one.promotes(ALPHAS[at])]
    if not chosen:
        return ["0", *["-"] * 5]
    net = [ratio(earned.net, one.texts) for one in chosen]
    means = [
        np.mean([one.score for one in chosen]),
        np.mean([one.shrunk[at] for one in chosen]),
        np.mean([_score(one, earned) for one in chosen]),
        np.mean(net),
    ]
    above = share([one > 0 for one in net])
    return [str(len(chosen)), *(f"{mean:.1f}" for mean in means), _percent(above)]


def _score(one: Winner, earned: Earned) -> float:
    return ratio(earned.detrended, one.texts) / float(np.sqrt(len(one.texts)))


def _about(kinds: Sequence[Kind]) -> str:
    return _listed([f"{kind.title}: {kind.about}" for kind in kinds])


def _intervals(nights: list[Night]) -> list[str]:
    return [_with_interval(gate.share(nights)) for gate in FACTORY]


def _percent(of: Share) -> str:
    return f"{100 * of.value:.3g} %" if of.of else "-"


def _with_interval(of: Share) -> str:
    low, high = of.interval()
    return f"{_percent(of)} ({100 * low:.1f}-{100 * high:.1f})"


def _listed(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
