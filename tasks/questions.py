"""What is asked of whom where a person does not say: from the settings alone.

Prefect is not needed here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from core.errors import InvalidInput
from sources.registry import SOURCES, source_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.settings import Settings

ROUTED = "routed"  # not a source: whoever of routing.prices has an answer
CANDLES = "candles"
SANDBOX = "sandbox"
OF_MARKETS = ("tickers", "market_trades", "order_books")
OF_PERPETUALS = ("mark_prices", "funding_rates", "open_interest")
OF_VENUES = ("instruments", "venue_status")
# How far back a history is asked for each time: twice the longest pause between two runs and
# more, so that a run that did not happen leaves no hole.
LOOKBACK = {
    "funding_rates": timedelta(days=3),
    "open_interest": timedelta(hours=6),
    "whale_transactions": timedelta(hours=1),
    "onchain_metrics": timedelta(days=14),
    "stock_indices": timedelta(days=5),
    "social_posts": timedelta(hours=2),
    "social_metrics": timedelta(hours=6),
}


class Question(msgspec.Struct, frozen=True):
    """One dataset of one source, about so many subjects; None among them is all that there is."""

    source: str
    dataset: str
    subjects: tuple[str | None, ...]

    def __str__(self) -> str:
        return f"{self.dataset} of {self.source}"


def questions(
    settings: Settings,
    datasets: Iterable[str],
    source: str | None = None,
    subjects: Iterable[str] | None = None,
) -> list[Question]:
    """Return what to ask.

    Args:
        settings: a person's.
        datasets: which; empty for all that the source gives.
        source: whom; None for everybody whom the settings name.
        subjects: about what; None for what the settings watch.

    Raises:
        InvalidInput: the source does not give a dataset.
    """
    named = None if subjects is None else tuple(subjects)
    wanted = list(datasets)
    if source is not None:
        gives = [name for name in source_named(source).gives if name != CANDLES]
        wrong = [name for name in wanted if name not in gives]
        if wrong:
            raise InvalidInput(
                f"expected datasets of {source}: {', '.join(gives)}, was {', '.join(wrong)}"
            )
        wanted = wanted or gives
    return [
        Question(who, dataset, named or subjects_of(dataset, who, settings))
        for dataset in wanted
        for who in ([source] if source is not None else sources_of(dataset, settings))
    ]


def sources_of(dataset: str, settings: Settings) -> list[str]:
    """Return who is asked for a dataset where nobody is named.

    A desk whose venue is the sandbox stays offline: it asks the sandbox or nobody.
    """
    giving = [name for name, info in SOURCES.items() if dataset in info.gives]
    if is_sandbox(settings.venue):
        return [name for name in giving if is_sandbox(name)]
    if dataset == "prices":
        return [ROUTED]
    if dataset in (*OF_MARKETS, *OF_VENUES):
        return [name for name in settings.watch.venues if name in giving]
    if dataset in OF_PERPETUALS:
        watched = [f"{name}_perp" for name in settings.watch.venues]
        return [name for name in watched if name in giving]
    return [name for name in giving if not is_sandbox(name)]


def is_sandbox(name: str) -> bool:
    """Say whether a venue or source is the sandbox, in whichever venue's words."""
    return name.split("_", maxsplit=1)[0] == SANDBOX


def subjects_of(dataset: str, source: str, settings: Settings) -> tuple[str | None, ...]:
    """Return what a source is asked about; empty where the settings watch nothing of the kind."""
    watch, social = settings.watch, settings.social
    markets = settings.symbols or watch.markets
    if is_sandbox(source):
        markets = settings.symbols or ("NOISE1-USDT", "TREND1-USDT")
    if dataset == "tickers" and source == "coingecko":
        return tuple(dict.fromkeys(symbol.split("-")[0] for symbol in markets))
    if dataset == "social_posts":
        return {"twitter": social.queries, "reddit": social.subreddits}.get(source, social.assets)
    about: dict[str, tuple[str, ...]] = {
        **dict.fromkeys((*OF_MARKETS, *OF_PERPETUALS), markets),
        "prices": watch.prices,
        "dex_pairs": watch.pairs,
        "dex_quotes": ("SOL-USDC",),
        "wallet_balances": watch.wallets,
        "whale_transactions": settings.whales.tokens,
        "onchain_metrics": watch.metrics,
        "stock_indices": watch.indices,
        "social_metrics": social.assets,
    }
    return about.get(dataset, (None,))
