"""The normal numbers that R draws after `set.seed`, to rebuild what was published with R.

R scrambles the seed by a linear congruential generator, fills the Mersenne Twister with it, and
turns two uniform numbers into a normal one by inversion: ?RNG in R's manual,
https://stat.ethz.ch/R-manual/R-devel/library/base/html/Random.html.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

_BIG = 2**27
_WORDS = 624


def r_normals(seed: int, count: int) -> np.ndarray:
    """Return the first `rnorm(count)` after `set.seed(seed)`."""
    words = []
    for step in range(50 + 1 + _WORDS):
        seed = (69069 * seed + 1) % 2**32
        if step > 50:
            words.append(seed)
    twister = np.random.MT19937()
    state = twister.state
    state["state"] = {"key": np.array(words, np.uint32), "pos": _WORDS}
    twister.state = state
    uniform = twister.random_raw(2 * count) / 2**32
    fine = (np.floor(_BIG * uniform[0::2]) + uniform[1::2]) / _BIG
    return np.array([NormalDist().inv_cdf(u) for u in fine.tolist()])


def r_matrix(seed: int, rows: int, columns: int) -> np.ndarray:
    """Return `matrix(rnorm(rows * columns), nrow = rows)`."""
    return np.ascontiguousarray(r_normals(seed, rows * columns).reshape(columns, rows).T)
