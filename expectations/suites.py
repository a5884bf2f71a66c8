"""Which suite judges which dataset. What is not listed here cannot pass a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import InvalidInput
from expectations import (
    backtests,
    candidates,
    candles,
    funding_rates,
    indicators,
    instruments,
    mark_prices,
    market_trades,
    nights,
    open_interest,
    order_books,
    paper,
    promotions,
    strategies,
    tickers,
    trials,
    venue_status,
)
from expectations.voices import social_metrics, social_posts, social_sentiment
from expectations.world import (
    dex_pairs,
    dex_quotes,
    listings,
    onchain_metrics,
    prices,
    stock_indices,
    wallet_balances,
    whale_transactions,
)

if TYPE_CHECKING:
    from expectations.rules import Suite

SUITES: dict[str, Suite] = {
    file.SUITE.dataset.name: file.SUITE
    for file in (
        *(candles, strategies, backtests, trials),
        *(candidates, nights, promotions, paper),
        *(tickers, market_trades, order_books, instruments, venue_status),
        *(mark_prices, funding_rates, open_interest, indicators),
        *(prices, listings, dex_pairs, dex_quotes, wallet_balances, whale_transactions),
        *(onchain_metrics, stock_indices, social_posts, social_metrics, social_sentiment),
    )
}


def suite_for(dataset: str) -> Suite:
    """Return the suite of `dataset`; raise `InvalidInput` where there is none."""
    try:
        return SUITES[dataset]
    except KeyError:
        known = ", ".join(sorted(SUITES))
        raise InvalidInput(
            f"expected a dataset with a suite, one of {known}, was {dataset!r}"
        ) from None
