"""What the worlds without an edge say, in words: tonight's luck, and what a night can find."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from serving.night import best, finite, winners
from serving.words import (
    BEST,
    MISSING,
    between,
    capitalised,
    count,
    decimal,
    known,
    odds,
    once,
    percent,
    plural,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from serving.night import Luck, NightReport

YEAR = 365
# Nights a year on which a perfect test of such a level promotes something false, simulated with
# 500 useless strategies that are judged anew every night on the 90 days before it.
FALSE_NIGHTS = {0.05: 14.8, 0.01: 1.6, 0.002: 0.4}


class Level(NamedTuple):
    """A level at which nights may promote, and what it costs in a year without any edge."""

    alpha: float
    most: float
    measured: float | None
    tonight: bool


class Line(NamedTuple):
    """A number of the night with the sentence that says what it means."""

    name: str
    value: str
    sentence: str


def describe(report: NightReport) -> str:
    """Say what the picture of the worlds shows, also for those who cannot see it."""
    luck, top = report.luck, best(report)
    scores = finite(luck.mirrored)
    if not len(luck.mirrored) or top is None:
        return "No candidate had to be set against luck, so no world was searched."
    said = [_spread(scores, len(luck.mirrored))] if len(scores) else []
    good, worlds = luck.as_good(top["score"]), len(luck.mirrored)
    said.append(
        f"{capitalised(BEST)} score is {decimal(top['score'])}; luck did as well in {count(good)} "
        f"of {plural(worlds, 'world')}: p = (1 + {count(good)}) / (1 + {count(worlds)}) = "
        f"{odds(top['p_value'])}, where at most {odds(luck.alpha)} promotes."
    )
    if idle := worlds - len(scores):
        said.append(f"In {plural(idle, 'world')} nothing traded often enough to have a score.")
    if good >= luck.stop_after:
        said.append(
            f"The worlds ended with the one in which luck had done as well {count(good)} times: "
            "more of them would not make a winner of it."
        )
    return " ".join(said)


def describe_permuted(report: NightReport) -> str | None:
    """Say what the permuted worlds showed, None where none was searched."""
    luck, top = report.luck, best(report)
    if not luck.permuted or top is None:
        return None
    good = luck.permuted_as_good(top["score"])
    return (
        f"The thin outline counts {plural(len(luck.permuted), 'permuted world')}: the same bars in "
        "another order, so that the market ends where it really ended and only its trend is left "
        f"to be found. They did as well in {count(good)}: p = {odds(top['permutation_p'])}, where "
        f"at most {odds(luck.permutation_alpha)} promotes."
    )


def hurdle_words(report: NightReport) -> str | None:
    """Explain the hurdle, None where there is none."""
    luck = report.luck
    if not known(luck.hurdle):
        return None
    return (
        f"The dashed line, {decimal(luck.hurdle)}, is what luck passes on {once(luck.alpha)}. It "
        "is read off a Gumbel curve through the worlds, since the far end holds too few of them; "
        "who is promoted is decided by counting worlds."
    )


def lines(report: NightReport) -> list[Line]:
    """Say what a night like this can find, and what its finds are worth."""
    luck = report.luck
    if luck.hurdle is None or luck.smallest is None:
        return []
    spread = spread_of(report.days)
    found = [
        Line(
            "Smallest edge that is found",
            decimal(luck.smallest, 1),
            f"A rule that truly earns an annual Sharpe ratio of {decimal(luck.smallest, 1)} is "
            "found on four nights of five; one that earns less is missed more often. A miss says "
            f"nothing against a rule: {plural(report.days, 'day')} are too few to see it.",
        ),
        Line(
            "Hurdle of luck",
            decimal(luck.hurdle, 1),
            f"What the best of the whole search reaches by luck on {once(luck.alpha)}. A rule that "
            "truly earns just that is found every other night.",
        ),
        Line(
            "What chance adds or takes",
            f"± {decimal(spread, 1)}",
            f"Over {plural(report.days, 'day')} any Sharpe ratio is measured no closer than this "
            "(one standard error, √(365/days)). Four times as many days would halve it.",
        ),
        Line(
            "False promotions",
            f"at most {decimal(YEAR * luck.alpha, 1)} nights a year",
            f"If no rule had any edge, each night would still promote with a chance of "
            f"{share(luck.alpha)}. Neighbouring nights look at nearly the same days, so false "
            "promotions come in runs of several nights and then not for long.",
        ),
    ]
    won = winners(report).drop_nulls(["score", "shrunk"])
    if won.height:
        row = won.row(0, named=True)
        found.append(Line("What should be left of the best", left(luck, row), shrinkage(luck, row)))
    return found


def left(luck: Luck, row: Mapping[str, Any]) -> str:
    """Write what should be left of a candidate's score; a dash where luck explains it."""
    if row["shrunk"] is None:
        return MISSING
    return between(luck.cautious(row["score"]), row["shrunk"])


def shrinkage(luck: Luck, row: Mapping[str, Any]) -> str:
    """Explain what should be left of a candidate's score."""
    score, kept = decimal(row["score"], 1), decimal(row["shrunk"], 1)
    return (
        f"Two estimates. The same search finds {decimal(luck.usual, 1)} on average where there is "
        f"nothing; less that, {decimal(luck.cautious(row['score']), 1)}. And of all rules that "
        f"pass the hurdle of {decimal(luck.hurdle, 1)}, those that truly earn {kept} show {score} "
        "on average. A search fits some luck on top of what is there, so lean to the smaller one."
    )


def levels(alpha: float) -> list[Level]:
    """Return what several levels cost in a year of nights, tonight's among them."""
    return [
        Level(level, YEAR * level, FALSE_NIGHTS.get(level), math.isclose(level, alpha))
        for level in sorted({*FALSE_NIGHTS, alpha}, reverse=True)
    ]


def spread_of(days: int) -> float:
    """Return the standard error of an annualised Sharpe ratio over so many days."""
    return math.sqrt(YEAR / days)


def chance_of(true: float, hurdle: float, days: int) -> float:
    """Return the probability that a rule with a true Sharpe ratio passes the hurdle."""
    return NormalDist().cdf((true - hurdle) / spread_of(days))


def describe_power(report: NightReport) -> str:
    """Say what the picture of the power shows."""
    luck = report.luck
    shown = [2.0, 4.0, 6.0, 10.0, 15.0]
    chances = [
        f"{percent(chance_of(true, luck.hurdle, report.days), 0)} at {decimal(true, 0)}"
        for true in shown
        if luck.hurdle is not None
    ]
    return f"Chance that a rule is promoted, by its true annual Sharpe ratio: {', '.join(chances)}."


def _spread(scores: NDArray[np.float64], worlds: int) -> str:
    low, middle, high = (decimal(float(value), 1) for value in np.quantile(scores, [0, 0.5, 1]))
    if worlds == 1:
        return f"In the one world the best score was {high}."
    return (
        f"In {plural(worlds, 'world')} without an edge the best scores go from {low} to {high}, "
        f"half of them below {middle}."
    )
