"""Who is better where several things count: non-dominated fronts, crowding, and no clones.

Fronts and crowding distance are those of NSGA-II: Deb, Pratap, Agarwal, Meyarivan (2002),
https://doi.org/10.1109/4235.996017, with its constrained domination: a strategy whose score is
not positive has nothing to trade off, and stands behind all that have, by its score alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from research.kernels import kernel, part

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]

ROUNDING = 1e-12  # of a correlation


def fronts(objectives: F8) -> I8:
    """Return the front of every row, 0 for what nothing dominates; all columns are minimised."""
    front = np.empty(len(objectives), dtype=np.int64)
    fronts_nb(np.ascontiguousarray(objectives), np.lexsort(objectives.T), front)
    return front


@kernel
def fronts_nb(objectives: F8, order: I8, front: I8) -> None:
    """Write each row's front, the next after the last of those that dominate it.

    In `order` nobody stands before whoever dominates him.
    """
    for at in range(order.size):
        mine, level = order[at], 0
        for before in range(at):
            other = order[before]
            if front[other] < level:
                continue
            better = False
            for k in range(objectives.shape[1]):
                if objectives[other, k] > objectives[mine, k]:
                    break
                better = better or objectives[other, k] < objectives[mine, k]
            else:
                if better:
                    level = front[other] + 1
        front[mine] = level


def crowding(objectives: F8, front: I8) -> F8:
    """Return how far each row's neighbours within its front are apart; infinite at the ends."""
    alone = np.zeros(front.size)
    order = np.argsort(objectives, axis=0, kind="stable")
    ends = np.empty((4, int(front.max(initial=-1)) + 1), dtype=np.int64)
    crowding_nb(np.ascontiguousarray(objectives), front, order, ends, alone)
    return alone


@kernel
def crowding_nb(objectives: F8, front: I8, order: I8, ends: I8, alone: F8) -> None:
    """Add to each row how far its neighbours are apart, a share of the width of its front.

    `order` has the rows by each objective; `ends` is room for four rows of each front: the first,
    the last, and while they are walked, the one at hand and the one before it.
    """
    for k in range(objectives.shape[1]):
        ends[:] = -1
        for row in order[:, k]:
            if ends[0, front[row]] < 0:
                ends[0, front[row]] = row
            ends[1, front[row]] = row
        for row in order[:, k]:
            f = front[row]
            here, before = ends[2, f], ends[3, f]
            width = objectives[ends[1, f], k] - objectives[ends[0, f], k]
            if before >= 0 and width > 0.0:
                alone[here] += (objectives[row, k] - objectives[before, k]) / width
            ends[2, f], ends[3, f] = row, here
            if row == ends[0, f] or row == ends[1, f]:
                alone[row] = np.inf


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
    is_elite = np.zeros(order.size, dtype=bool)
    is_elite[best] = True
    return np.concatenate([best, order[~is_elite[order]]])


def directions(returns: F8) -> F8:
    """Return unit vectors, rows as given, whose products are the correlations of the rows.

    Rows that do not vary point along a way of their own, the last column, which makes them clones
    of each other and of nobody else.
    """
    centred = returns - returns.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    varies = (returns.max(axis=1) > returns.min(axis=1)) & (length[:, 0] > 0)
    ways = np.zeros((len(returns), returns.shape[1] + 1))
    np.divide(centred, length, out=ways[:, :-1], where=varies[:, None])
    ways[~varies, -1] = 2.0
    return ways


def without_clones(ways: F8, order: I8, bound: float, most: int) -> I8:
    """Take rows in order, at most so many, leaving out each that behaves like one taken before.

    A clone's daily returns correlate with those of another by more than `bound`; `ways` are the
    `directions` of the rows.
    """
    taken = np.empty(most, dtype=np.int64)
    return taken[: unlike_nb(ways, order, bound + ROUNDING, taken)]


@kernel
def unlike_nb(ways: F8, order: I8, bound: float, taken: I8) -> int:
    """Write the rows that are taken; return how many. No library adds up in an order of its own."""
    count = 0
    for at in range(order.size):
        if count == taken.size:
            break
        row = ways[order[at]]
        alone = True
        for before in range(count):
            if product_nb(row, ways[taken[before]]) > bound:
                alone = False
                break
        if alone:
            taken[count] = order[at]
            count += 1
    return count


@part
def product_nb(one: F8, other: F8) -> Any:
    """Return the sum of the products, in four sums that do not wait for each other."""
    whole = one.size - one.size % 4
    a = b = c = d = 0.0
    for k in range(0, whole, 4):
        a += one[k] * other[k]
        b += one[k + 1] * other[k + 1]
        c += one[k + 2] * other[k + 2]
        d += one[k + 3] * other[k + 3]
    for k in range(whole, one.size):
        a += one[k] * other[k]
    return (a + b) + (c + d)
