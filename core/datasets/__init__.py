"""Every dataset's columns, key, time column, partitions and retention, declared once.

Sources, gates, storage and SQL read these declarations and nothing else, so a column is
added here or nowhere.
"""

from __future__ import annotations

from core.datasets.dataset import TIME, Dataset
from core.datasets.desk import ASKED, REVISIONS, VERDICTS
from core.datasets.markets import CANDLES
from core.datasets.nights import (
    BACKTESTS,
    CANDIDATES,
    LEDGER,
    METRICS,
    NIGHTS,
    PAPER,
    PROMOTIONS,
    STRATEGIES,
    TRIALS,
)
from core.errors import InvalidInput

__all__ = [
    "ASKED",
    "BACKTESTS",
    "CANDIDATES",
    "CANDLES",
    "DATASETS",
    "LEDGER",
    "METRICS",
    "NIGHTS",
    "PAPER",
    "PROMOTIONS",
    "REVISIONS",
    "STRATEGIES",
    "TIME",
    "TRIALS",
    "VERDICTS",
    "Dataset",
    "dataset_named",
]

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        CANDLES,
        STRATEGIES,
        BACKTESTS,
        TRIALS,
        CANDIDATES,
        NIGHTS,
        LEDGER,
        PROMOTIONS,
        PAPER,
        REVISIONS,
        VERDICTS,
        ASKED,
    )
}


def dataset_named(name: str) -> Dataset:
    """Return the declaration of `name`; raise `InvalidInput` with the known names."""
    try:
        return DATASETS[name]
    except KeyError:
        known = ", ".join(sorted(DATASETS))
        raise InvalidInput(f"expected a dataset of {known}, was {name!r}") from None
