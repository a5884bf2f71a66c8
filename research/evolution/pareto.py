"""Who is better where several things count: non-dominated fronts, crowding, and no clones.

Fronts and crowding distance are those of NSGA-II: Deb, Pratap, Agarwal, Meyarivan (2002),
https://doi.org/10.1109/4235.996017, with its constrained domination: a strategy whose score is
not positive has nothing to trade off, and stands behind all that have, by its score alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]


def fronts(objectives: F8) -> I8:
    """Return the front of every row, 0 for what nothing dominates; all columns are minimised."""
    count = len(objectives)
    no_worse = np.ones((count, count), dtype=bool)
    better = np.zeros((count, count), dtype=bool)
    for column in objectives.T:
        no_worse &= column[:, None] <= column[None, :]
        better |= column[:, None] < column[None, :]
    dominates = no_worse & better
    remaining = dominates.sum(axis=0)
    front = np.full(count, -1, dtype=np.int64)
    level = 0
    while (front < 0).any():
        free = np.flatnonzero((front < 0) & (remaining == 0))
        front[free] = level
        remaining -= dominates[free].sum(axis=0)
        level += 1
    return front


def crowding(objectives: F8, front: I8) -> F8:
    """Return how far each row's neighbours within its front are apart; infinite at the ends."""
    distance = np.zeros(len(objectives))
    for level in range(int(front.max(initial=-1)) + 1):
        rows = np.flatnonzero(front == level)
        for column in objectives[rows].T:
            order = np.argsort(column, kind="stable")
            sorted_values = column[order]
            width = sorted_values[-1] - sorted_values[0]
            gaps = np.full(rows.size, np.inf)
            if rows.size > 2:
                inner = sorted_values[2:] - sorted_values[:-2]
                gaps[1:-1] = inner / width if width > 0 else 0.0
            distance[rows[order]] += gaps
    return distance


def preference(objectives: F8, score: F8) -> I8:
    """Return the rows from the best to the worst.

    Those with a positive score stand by front, the lonelier of a front first; then come the
    others by score. Ties stand in the order given.
    """
    earning = np.flatnonzero(score > 0)
    others = np.flatnonzero(score <= 0)
    front = fronts(objectives[earning])
    alone = crowding(objectives[earning], front)
    best = earning[np.lexsort((-alone, front))]
    return np.concatenate([best, others[np.argsort(-score[others], kind="stable")]])


def by_score(objectives: F8, score: F8) -> I8:
    """Return the rows from the highest score to the lowest; of equal ones the simplest first.

    The last objective is the complexity.
    """
    return np.lexsort((objectives[:, -1], -score))


def elite_first(order: I8, scored: I8, elites: int) -> I8:
    """Return the first so many rows of `scored`, then the rest in the order given."""
    best = scored[:elites]
    return np.concatenate([best, order[~np.isin(order, best)]])


def without_clones(returns: F8, order: I8, bound: float, most: int) -> list[int]:
    """Take rows in order, leaving out each that behaves like one already taken.

    A clone's daily returns correlate with those of another by more than `bound`; rows whose
    returns do not vary are clones of each other.
    """
    centred = returns - returns.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    varies = (returns.max(axis=1) > returns.min(axis=1)) & (length[:, 0] > 0)
    unit = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    taken: list[int] = []
    kept = np.zeros((most, returns.shape[1]))
    has_flat = False
    for row in order:
        if len(taken) == most:
            break
        if not varies[row]:
            if has_flat:
                continue
            has_flat = True
        elif (kept[: len(taken)] @ unit[row] > bound).any():
            continue
        kept[len(taken)] = unit[row] if varies[row] else 0.0
        taken.append(int(row))
    return taken
