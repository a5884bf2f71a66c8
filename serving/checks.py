"""What a verdict means: of a candidate, and of a trial that never became one."""

from __future__ import annotations

from typing import NamedTuple

PROMOTED, HELD_BACK, NOT_CHOSEN = "promoted", "held_back", "not_chosen"
NOT_ABOVE_LUCK, PERMUTATION_EXPLAINS = "not_above_luck", "permutation_explains"


class Check(NamedTuple):
    """A verdict in words: its line in a count, and why it is no promotion."""

    label: str
    why: str


# Those of candidates, the nearest to a promotion first. An unknown one is shown by its own name.
CHECKS: dict[str, Check] = {
    PROMOTED: Check("promoted to paper trading", "it was promoted"),
    NOT_CHOSEN: Check(
        "above luck, but not chosen",
        "a better one does the same, or all places of the night were taken",
    ),
    HELD_BACK: Check(
        "above luck, but held back", "it is above luck, but a second opinion objects to it"
    ),
    PERMUTATION_EXPLAINS: Check(
        "explained by the trend of the market",
        "it beats mirrored worlds, but not those that keep the trend of the market",
    ),
    NOT_ABOVE_LUCK: Check("not above luck", "luck alone does as well too often"),
}

# Those of trials that never became a candidate.
ENDINGS: dict[str, str] = {
    "not_among_the_best": "kept to the end, but too few trades or not among the best",
    "discarded_by_the_search": "dropped by the search on its way",
    "other_market": "backtested on a market on which the search had not scored it",
    "not_proven": "not proven: it may look ahead",
}


def check(verdict: str | None) -> Check:
    """Return the words for a candidate's verdict; an unknown one speaks for itself."""
    if not verdict:
        return Check("no verdict", "it has no verdict")
    plain = verdict.replace("_", " ")
    return CHECKS.get(verdict, Check(plain, f"its verdict is “{plain}”"))


def ending(verdict: str | None) -> str:
    """Say where a trial's way ended; a candidate's verdict says it for a candidate."""
    return ENDINGS.get(verdict or "") or check(verdict).label


def nearness(verdict: str | None) -> int:
    """Return how far a candidate was from a promotion; unknown verdicts are the furthest."""
    return list(CHECKS).index(verdict) if verdict in CHECKS else len(CHECKS)


def in_order(verdicts: list[str]) -> list[str]:
    """Sort the verdicts of trials from the first look to promotion; unknown ones first, by name."""
    known = [*reversed(ENDINGS), *reversed(CHECKS)]
    place = {verdict: number for number, verdict in enumerate(known)}
    return sorted(verdicts, key=lambda verdict: (place.get(verdict, -1), verdict))
