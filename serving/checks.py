"""What a trial's verdict means: the checks in the order in which a trial meets them."""

from __future__ import annotations

from typing import NamedTuple

PROMOTED = "promoted"


class Check(NamedTuple):
    """A check in words: its line in the funnel, and why a trial that failed it was left out."""

    label: str
    why: str


_NOT_CHOSEN = Check(
    "passed, but not chosen",
    "it passed every check, but a better one does the same, or the night's places were taken",
)

# In the order of the night. A verdict that is not here is shown by its own name.
CHECKS: dict[str, Check] = {
    "too_few_days": Check("too few days", "there are too few days of data to judge it"),
    "too_few_trades": Check("traded too seldom", "it traded too seldom to be judged"),
    "fails_in_sample": Check("no gain before the holdout", "it gained nothing before the holdout"),
    "not_above_luck": Check(
        "not clearly above luck", "it is not far enough above luck to rule luck out"
    ),
    "fails_out_of_sample": Check(
        "no gain in the holdout", "it gained nothing in the holdout, the last days of the window"
    ),
    "survivor": _NOT_CHOSEN,
    "not_chosen": _NOT_CHOSEN,
}


def check(verdict: str | None) -> Check:
    """Return the words for a verdict; an unknown one speaks for itself."""
    if not verdict:
        return Check("no verdict", "it has no verdict")
    plain = verdict.replace("_", " ")
    return CHECKS.get(verdict, Check(plain, f"it failed the check “{plain}”"))


def rank(verdict: str | None) -> int:
    """Return how far a trial got: the place of the check that ended it, unknown ones first."""
    return list(CHECKS).index(verdict) if verdict in CHECKS else -1


def in_order(verdicts: list[str]) -> list[str]:
    """Sort verdicts as the night meets them; unknown ones first, by name."""
    return sorted(verdicts, key=lambda verdict: (rank(verdict), verdict))
