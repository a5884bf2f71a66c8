"""Every dataset's columns, key, time column, partitions and retention, declared once.

Sources, gates, storage and SQL read these declarations and nothing else, so a column is
added here or nowhere.
"""

from __future__ import annotations

from core.datasets.dataset import TIME, Dataset
from core.datasets.desk import ASKED, REVISIONS, SOURCE_HEALTH, VERDICTS
from core.datasets.markets import (
    CANDLES,
    FUNDING_RATES,
    INDICATORS,
    INSTRUMENTS,
    MARK_PRICES,
    MARKET_TRADES,
    OPEN_INTEREST,
    ORDER_BOOKS,
    TICKERS,
    VENUE_STATUS,
)
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
from core.datasets.voices import SOCIAL_METRICS, SOCIAL_POSTS, SOCIAL_SENTIMENT
from core.datasets.world import (
    DEX_PAIRS,
    DEX_QUOTES,
    LISTINGS,
    ONCHAIN_METRICS,
    PRICES,
    STOCK_INDICES,
    WALLET_BALANCES,
    WHALE_TRANSACTIONS,
)
from core.errors import InvalidInput

__all__ = [
    "ASKED",
    "BACKTESTS",
    "CANDIDATES",
    "CANDLES",
    "DATASETS",
    "DEX_PAIRS",
    "DEX_QUOTES",
    "FUNDING_RATES",
    "INDICATORS",
    "INSTRUMENTS",
    "LEDGER",
    "LISTINGS",
    "MARKET_TRADES",
    "MARK_PRICES",
    "METRICS",
    "NIGHTS",
    "ONCHAIN_METRICS",
    "OPEN_INTEREST",
    "ORDER_BOOKS",
    "PAPER",
    "PRICES",
    "PROMOTIONS",
    "REVISIONS",
    "SOCIAL_METRICS",
    "SOCIAL_POSTS",
    "SOCIAL_SENTIMENT",
    "SOURCE_HEALTH",
    "STOCK_INDICES",
    "STRATEGIES",
    "TICKERS",
    "TIME",
    "TRIALS",
    "VENUE_STATUS",
    "VERDICTS",
    "WALLET_BALANCES",
    "WHALE_TRANSACTIONS",
    "Dataset",
    "dataset_named",
]

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        CANDLES,
        TICKERS,
        MARKET_TRADES,
        ORDER_BOOKS,
        INSTRUMENTS,
        VENUE_STATUS,
        MARK_PRICES,
        FUNDING_RATES,
        OPEN_INTEREST,
        INDICATORS,
        PRICES,
        LISTINGS,
        DEX_PAIRS,
        DEX_QUOTES,
        WALLET_BALANCES,
        WHALE_TRANSACTIONS,
        ONCHAIN_METRICS,
        STOCK_INDICES,
        SOCIAL_POSTS,
        SOCIAL_METRICS,
        SOCIAL_SENTIMENT,
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
        SOURCE_HEALTH,
    )
}


def dataset_named(name: str) -> Dataset:
    """Return the declaration of `name`; raise `InvalidInput` with the known names."""
    try:
        return DATASETS[name]
    except KeyError:
        known = ", ".join(sorted(DATASETS))
        raise InvalidInput(f"expected a dataset of {known}, was {name!r}") from None
