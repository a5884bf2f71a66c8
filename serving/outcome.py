"""The plain words for what a night came to: its headline, what was done, what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.candidates import objections, objectors
from serving.checks import HELD_BACK, NOT_ABOVE_LUCK, NOT_CHOSEN, PERMUTATION_EXPLAINS, check
from serving.luck import left
from serving.night import best, cost, winners
from serving.words import BEST, TIMES, bps, count, decimal, listed, moment, odds, plural

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from serving.night import NightReport


def headline(report: NightReport) -> str:
    """Say in a sentence or two what the night came to."""
    top = best(report)
    if report.luck.alarm is not None:
        return (
            f"Nothing promoted: luck does {decimal(report.luck.alarm, 1)} {TIMES} as well as it "
            "can, so no number of this night is to be trusted."
        )
    if not report.trials:
        return "Nothing promoted: no strategy was tried."
    if top is None:
        who = "the only trial did not trade" if report.trials == 1 else _none_traded(report)
        return f"Nothing promoted: {who} often enough to be a candidate."
    if winners(report).height:
        return _promotion(report, top)
    return f"Nothing promoted: {_why_not(report, top)}."


def alarm(report: NightReport) -> str | None:
    """Say what is wrong where worlds without an edge are too good to be true."""
    if report.luck.alarm is None:
        return None
    return (
        f"Worlds without an edge look {decimal(report.luck.alarm, 1)} {TIMES} as good as luck "
        "allows: something in the engine, the costs or the data pays what is not there. Nothing is "
        "promoted until it is found."
    )


def summary(report: NightReport) -> str:
    """Say in two sentences what was done."""
    costs = [
        f"{bps(paid)} bps {what}"
        for name, what in _COSTS.items()
        if (paid := cost(report, name)) is not None
    ]
    paying = f", each paying {listed(costs)}" if costs else ""
    worlds = [
        plural(len(scores), f"{kind} world")
        for kind, scores in (
            ("mirrored", report.luck.mirrored),
            ("permuted", report.luck.permuted),
        )
        if scores
    ]
    return (
        f"{plural(report.strategies, 'strategy', 'strategies')} were bred on "
        f"{plural(len(report.symbols), 'symbol')} ({listed(list(report.symbols))}) over the "
        f"{plural(report.days, 'day')} of {report.venue} before {moment(report.as_of)}: "
        f"{plural(report.trials, 'trial')}{paying}. "
        f"{plural(report.candidates.height, 'candidate')} came out."
        + (f" The same search then ran in {listed(worlds)} without an edge." if worlds else "")
    )


_COSTS = {
    "fee_bps": "of fee per side",
    "slippage_bps": "of slippage per side",
    "funding_bps": "of funding per 8 h held short",
}


def meaning(report: NightReport) -> str:
    """Say what follows from the outcome, in words that fit it."""
    if report.luck.alarm is not None:
        return "Paper trading goes on unchanged. The candidates of this night are not to be used."
    won = winners(report)
    if not won.height:
        return (
            "That is a normal night. Whoever looks at enough useless rules finds some that look "
            f"brilliant; tonight {count(report.trials)} were looked at, and an honest test says no "
            "far more often than yes. Paper trading goes on unchanged."
        )
    top = won.row(0, named=True)
    kept = (
        ""
        if top["shrunk"] is None
        else f" Of the best score, {decimal(top['score'], 1)}, {left(report.luck, top)} should be "
        "left."
    )
    return (
        "Promoted means sent to paper trading, with no real money at stake. Expect less: even a "
        f"true edge looks better in the days in which it was found.{kept}"
    )


def _promotion(report: NightReport, top: Mapping[str, Any]) -> str:
    won = winners(report).height
    worlds = len(report.luck.mirrored)
    good = report.luck.as_good(top["score"])
    return (
        f"Promoted {count(won)} of {plural(report.candidates.height, 'candidate')}. Luck alone did "
        f"as well as {BEST} in {count(good)} of {plural(worlds, 'world')} "
        f"(p = {odds(top['p_value'])})."
    )


def _why_not(report: NightReport, top: Mapping[str, Any]) -> str:
    good = report.luck.as_good(top["score"])
    beaten = f"in {count(good)} of {plural(len(report.luck.mirrored), 'world')}"
    p = f"p = {odds(top['p_value'])}"
    verdict = top["verdict"]
    if verdict == NOT_ABOVE_LUCK:
        return f"luck alone did as well as {BEST} {beaten} ({p})"
    if verdict == PERMUTATION_EXPLAINS:
        second = top["permutation_p"]
        tail = f" (p = {odds(second)})" if second is not None else ""
        but = f"but not worlds that keep the trend{tail}"
        return f"{BEST} beats mirrored luck ({p}), {but}"
    if verdict == HELD_BACK:
        against = objections(top)
        who = objectors(against) if against else "it was held back"
        return f"{BEST} is above luck ({p}), but {who}"
    if verdict == NOT_CHOSEN:
        return f"{BEST} is above luck ({p}), but no more promotions were allowed"
    return check(verdict).why


def _none_traded(report: NightReport) -> str:
    return f"none of {plural(report.trials, 'trial')} traded"
